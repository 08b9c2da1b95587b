package hardware

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"golang.org/x/text/language"

	"github.com/deepnarrow/deepnarrow/data"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/internal/suggest"
)

// Region is a place whose electricity is known: a cloud region, a country, a bidding zone, or the
// world. The zero Region is a place that nobody named: world average, industry PUE.
type Region struct {
	Key      string // "europe-west4", "FRA", "SE3"
	Name     string
	Kind     string // cloud-region, country, zone, world
	Provider string // gcp, aws, azure, or empty
	Grid     data.GridIntensity
}

var regions = sync.OnceValue(func() []Region {
	var out []Region
	for _, g := range data.Grid() {
		if g.Kind != "fuel" {
			out = append(out, Region{
				Key: g.Key, Name: g.Name, Kind: g.Kind, Provider: g.Provider, Grid: g,
			})
		}
	}
	return out
})

// Regions lists every place that [findRegion] knows.
func Regions() []Region { return slices.Clone(regions()) }

// RegionError says that a name means no region, or several.
type RegionError struct {
	Name    string
	Matches []string // keys that the name could mean
	Nearest string
}

func (e *RegionError) Error() string {
	if len(e.Matches) > 0 {
		return fmt.Sprintf("a region name that means several places: %q; allowed: %s",
			clip(e.Name), strings.Join(e.Matches, ", "))
	}
	return fmt.Sprintf("unknown region: %q%s; allowed: a cloud region (us-central1), a country (FRA, FR, France) or a zone (SE3)",
		clip(e.Name), suggest.Hint(e.Nearest))
}

// findRegion returns the place that a name means: the key of a cloud region, zone or country, an
// ISO 3166 code of two letters, the name of a country, or a place name that belongs to one region
// only. Letter case counts for nothing, nor do spaces and hyphens in Azure's names; elsewhere
// hyphens do (us-east1 is Google's, us-east-1 Amazon's). The error is of type [*RegionError].
func findRegion(name string) (Region, error) {
	wanted := strings.ToLower(strings.TrimSpace(name))
	squeezed := strings.NewReplacer(" ", "", "-", "").Replace(wanted)
	var byPlace []Region
	var names []string
	for _, r := range regions() {
		if strings.ToLower(r.Key) == wanted || r.Provider == "azure" &&
			strings.ToLower(strings.ReplaceAll(r.Key, " ", "")) == squeezed {
			return r, nil
		}
		if strings.ToLower(r.Name) == wanted {
			if r.Kind == "country" {
				return r, nil
			}
			byPlace = append(byPlace, r)
		}
		names = append(names, r.Key)
		if r.Kind == "country" {
			names = append(names, r.Name)
		}
	}
	if alpha3 := alpha3Of(wanted); alpha3 != "" {
		for _, r := range regions() {
			if r.Kind == "country" && r.Key == alpha3 {
				return r, nil
			}
		}
	}
	switch len(byPlace) {
	case 0:
	case 1:
		return byPlace[0], nil
	default:
		e := &RegionError{Name: name}
		for _, r := range byPlace {
			e.Matches = append(e.Matches, r.Key)
		}
		return Region{}, e
	}
	return Region{}, &RegionError{Name: name, Nearest: suggest.Nearest(strings.TrimSpace(name), names)}
}

// alpha3Of is the three-letter code of a country's two-letter code ("fr" → "FRA"), or empty.
func alpha3Of(code string) string {
	if len(code) != 2 {
		return ""
	}
	region, err := language.ParseRegion(code)
	if err != nil || !region.IsCountry() {
		return ""
	}
	return region.Canonicalize().ISO3() // UK is GBR
}

// intensity is the grid intensity of the region in kg CO2e per kWh. A named place has its yearly
// mean without an interval, as published; without a place it is the world's, within the range of
// four countries in five.
func (r Region) intensity() Input {
	if r.Key != "" && r.Kind != "world" {
		return gridInput(r.Grid)
	}
	all := regions()
	input := gridInput(all[slices.IndexFunc(all, func(r Region) bool { return r.Kind == "world" })].Grid)
	input.Origin = Default
	input.Note = "no region given: world average, with the middle four fifths of the countries"
	input.Interval.Low, input.Interval.High = countryQuantiles((1-Level)/2, (1+Level)/2)
	return input
}

func gridInput(g data.GridIntensity) Input {
	note := g.Name
	if g.Year != nil {
		note = fmt.Sprintf("%s, %d", g.Name, *g.Year)
	}
	return Input{
		Name: "grid intensity", Estimate: Exactly(g.Intensity), Origin: DataSheet,
		Source: g.Source, Evidence: g.Evidence, Note: note,
	}
}

// countryQuantiles are two quantiles of the intensities of all countries, each country counting
// once.
func countryQuantiles(low, high float64) (atLow, atHigh float64) {
	var values []float64
	for _, r := range regions() {
		if r.Kind == "country" {
			values = append(values, r.Grid.Intensity)
		}
	}
	slices.Sort(values)
	at := func(q float64) float64 { return values[int(math.Round(q*float64(len(values)-1)))] }
	return at(low), at(high)
}

// pue is the power usage effectiveness to expect in the region: of its campuses, else of its
// operator, else of the industry. Several campuses give their mean and range.
func (r Region) pue() Input {
	known := func(is func(data.PUE) bool) []data.PUE {
		return slices.DeleteFunc(data.PUEs(), func(p data.PUE) bool { return !is(p) })
	}
	operated := func(kind string) []data.PUE {
		return known(func(p data.PUE) bool { return p.Kind == kind && p.Provider == r.Provider })
	}
	if r.Provider != "" {
		for _, own := range []struct {
			note   string
			values []data.PUE
		}{
			{"of the region's campuses", known(func(p data.PUE) bool { return slices.Contains(p.Regions, r.Key) })},
			{"the operator's average", operated("operator")},
			{"mean and range of the operator's campuses", operated("campus")},
		} {
			if len(own.values) > 0 {
				return meanPUE(own.values, DataSheet, own.note)
			}
		}
	}
	industry := meanPUE(known(func(p data.PUE) bool { return p.Key == "industry-2024" }), Default,
		"industry average; large operators report 1.05 to 1.3")
	// From the best campus to the industry of four years before.
	for _, p := range data.PUEs() {
		if p.Kind == "campus" {
			industry.Interval.Low = min(industry.Interval.Low, p.Value)
		}
		if p.Kind == "industry" {
			industry.Interval.High = max(industry.Interval.High, p.Value)
		}
	}
	return industry
}

// meanPUE is the mean of published values with their range.
func meanPUE(known []data.PUE, origin Origin, note string) Input {
	i := quantity.Interval{Low: math.Inf(1)}
	for _, p := range known {
		i.Value += p.Value / float64(len(known))
		i.Low, i.High = min(i.Low, p.Value), max(i.High, p.Value)
	}
	return Input{
		Name: "PUE", Estimate: Estimate{Interval: &i}, Origin: origin,
		Source: known[0].Source, Evidence: known[0].Evidence, Note: note,
	}
}
