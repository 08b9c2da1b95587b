package reports

import (
	"strings"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// shortFields is a plan as a row of CSV: what a spreadsheet compares.
type shortFields struct {
	Shape       string   `json:"shape"`
	Cluster     string   `json:"cluster"`
	WhatIf      string   `json:"what_if"`
	Layout      string   `json:"layout"`
	Batch       int      `json:"batch"`
	Params      int64    `json:"params"`
	Tokens      *float64 `json:"tokens"`
	Fits        *bool    `json:"fits"`
	PeakBytes   float64  `json:"peak_bytes"`
	StepSeconds *float64 `json:"step_seconds"`
	MFU         *float64 `json:"mfu"`
	Total       *float64 `json:"total_seconds"`
	TotalHigh   *float64 `json:"total_seconds_high"`
	USD         *float64 `json:"cost_usd"`
	USDHigh     *float64 `json:"cost_usd_high"`
	EnergyKWh   *float64 `json:"energy_kwh"`
	CO2Kg       *float64 `json:"co2_kg"`
	Best        string   `json:"best"`
}

// middle is the value of an estimate, nil where it is not known.
func middle(e hardware.Estimate) *float64 {
	if e.Interval == nil {
		return nil
	}
	return &e.Interval.Value
}

func shortOf(p *Planned, marks []string) shortFields {
	high := func(e hardware.Estimate) *float64 {
		if e.Interval == nil {
			return nil
		}
		return &e.Interval.High
	}
	s, b := &p.Schedule, &p.Schedule.Bill
	f := shortFields{
		Shape: p.Run.Shape.Name, WhatIf: p.Label, Layout: plan.LayoutText(&p.Run),
		Batch: p.Run.Workload.Batch, Params: p.Params.Total, Tokens: middle(s.Tokens),
		Fits: p.Fits, PeakBytes: p.Memory.PeakBytes, StepSeconds: middle(p.StepTime),
		Total: middle(s.Occupancy.WallSeconds), TotalHigh: high(s.Occupancy.WallSeconds),
		USD: middle(b.CostUSD), USDHigh: high(b.CostUSD),
		EnergyKWh: middle(b.EnergyKWh), CO2Kg: middle(b.CO2Kg), Best: strings.Join(marks, " "),
	}
	if p.Cluster != nil {
		f.Cluster = p.Cluster.String()
	}
	if p.Prediction != nil {
		f.MFU = &p.Prediction.MFU
	}
	return f
}
