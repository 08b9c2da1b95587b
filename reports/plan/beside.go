package plan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
)

// Beside is one of several plans that stand side by side.
type Beside struct {
	Cluster *Cluster
	Label   string // what it states otherwise, such as "price 2x"; empty for nothing
	Answer  Answer
	None    error // why the cluster has no plan, where others have one
}

// Beside answers a question on every cluster with every list of changes; the first list is what the
// others are told from. Where nothing can be timed, so that no layout can be searched, the plain layout
// answers unless strict.
func (q Question) Beside(clusters []Cluster, variants [][]WhatIf, strict bool) ([]Beside, error) {
	var out []Beside
	for i := range clusters {
		base := clusters[i].Ask(q)
		if base.Serving != nil {
			rented := *base.Serving
			rented.Rented = clusters[i].Devices
			base.Serving = &rented
		}
		var usual *Answer
		none := false
	variants:
		for _, changes := range variants {
			one, label := base, make([]string, len(changes))
			for n, w := range changes {
				var err error
				if one, err = w.Of(one, usual); err != nil && none {
					continue variants // it is told from a plan that there is none of
				}
				if err != nil {
					return nil, err
				}
				label[n] = w.Name + " " + w.Value
			}
			answer, err := one.Answer()
			if _, missing := errors.AsType[*hardware.MissingError](err); missing && !strict {
				one.Search = false
				answer, err = one.Answer()
			}
			b := Beside{Cluster: &clusters[i], Label: strings.Join(label, ", "), Answer: answer}
			_, impossible := errors.AsType[*hardware.NoLayoutError](err)
			if impossible && len(clusters) > 1 {
				none, b.None, err = true, err, nil
			}
			if err != nil {
				return nil, err
			}
			if usual == nil && b.None == nil {
				usual = &answer
			}
			out = append(out, b)
		}
	}
	return out, nil
}

// mostCombinations bounds what several values of several flags come to.
const mostCombinations = 1000

// Combinations returns every list of one value each, the first list empty where there are no values.
func Combinations(lists [][]WhatIf) ([][]WhatIf, error) {
	out := [][]WhatIf{nil}
	for _, values := range lists {
		var next [][]WhatIf
		for _, v := range out {
			for _, w := range values {
				next = append(next, append(slices.Clone(v), w))
			}
		}
		if out = next; len(out) > mostCombinations {
			return nil, fmt.Errorf("too many combinations of values: %d; allowed: %d", len(out),
				mostCombinations)
		}
	}
	return out, nil
}

// Unquoted names the clusters that neither a price list nor the user gives a price.
func Unquoted(clusters []Cluster) []string {
	var out []string
	for i := range clusters {
		f := clusters[i].Profile.PriceUSDPerHour
		if name := clusters[i].String(); (f == nil || f.Origin == hardware.DataSheet) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// Warnings says where the traffic takes more devices than are at hand.
func (s *Served) Warnings() []string {
	if s.Rented == 0 || s.Devices() <= s.Rented {
		return nil
	}
	return []string{fmt.Sprintf("the traffic takes %s; rented: %d", quantity.Of(s.Devices(), "device"), s.Rented)}
}

// Phase is one part of a campaign, planned: pre-training, or fine-tuning on one task.
type Phase struct {
	Name string
	Answer
}

// Campaign is several phases, one after the other, and their total.
type Campaign struct {
	Phases      []Phase
	WallSeconds hardware.Estimate
	Bill        hardware.Bill // its inputs are with the phases
}

// NewCampaign adds phases up, each on its own devices.
//
// A total is the sum of the values, its bounds the sums of the bounds: phases share the model's
// errors, so that they do not average out. What one phase lacks the total lacks, with the phase
// named in the reason.
func NewCampaign(phases []Phase) Campaign {
	total := func(m Metric) hardware.Estimate {
		var sum quantity.Interval
		var missing []string
		for i := range phases {
			e := m.Of(&phases[i].Answer)
			if e.Interval == nil {
				missing = append(missing, phases[i].Name+": "+e.Missing)
				continue
			}
			sum.Value += e.Interval.Value
			sum.Low += e.Interval.Low
			sum.High += e.Interval.High
		}
		if len(missing) > 0 {
			return hardware.Estimate{Missing: strings.Join(missing, "; ")}
		}
		return hardware.Estimate{Interval: &sum}
	}
	return Campaign{
		Phases: phases, WallSeconds: total(TotalTime),
		Bill: hardware.Bill{
			DeviceHours: total(DeviceHours), CostUSD: total(Cost), EnergyKWh: total(Energy),
			CO2Kg: total(CO2),
		},
	}
}
