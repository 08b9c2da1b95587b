package reports

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
	"github.com/deepnarrow/deepnarrow/reports/result"
)

// Phases fills in the report of phases that run one after the other: one result a phase, and the
// total at the end.
func (r *Report) Phases(c *plan.Campaign) {
	t := Table{
		Columns: []Column{
			{Title: "phase"},
			{Title: "shape", Optional: 9},
			{Title: "hardware", Optional: 10},
			{Title: "devices"},
			{Title: "layout", Optional: 3},
			{Title: "batch", Optional: 4},
			{Title: "steps", Kind: quantity.Count, Optional: 7},
			{Title: "step", Kind: quantity.Duration, Optional: 6},
			{Title: "wall clock", Kind: quantity.Duration},
			{Title: "device-hours", Kind: quantity.Number, Optional: 5},
			{Title: "cost", Kind: quantity.Money},
			{Title: "energy", Kind: quantity.Energy, Optional: 2},
			{Title: "CO2e", Kind: quantity.CarbonMass, Optional: 1},
			{Title: "fits"},
		},
		Notes: []string{fmt.Sprintf(
			"Intervals are %.0f %%; those of the total are the sums of the phases', which share the model's errors. Wall clock = steps × step time ÷ goodput, one phase after the other.", 100*hardware.Level)},
	}
	var plans []Planned
	for i := range c.Phases {
		p := Planned{Answer: c.Phases[i].Answer}
		plans = append(plans, p)
		r.Document.Add(result.Phase{Phase: c.Phases[i].Name, Plan: result.PlanOf(&p.Answer)})
		b, step := &p.Schedule.Bill, Cell{}
		if p.Prediction != nil {
			step = Estimate(p.Prediction.StepSeconds)
		}
		t.add(Text(c.Phases[i].Name), Text(p.Run.Shape.Name), Text(p.Run.Profile.Name),
			Plain(fmt.Sprint(p.Run.Devices())), Text(plan.LayoutText(&p.Run)),
			Text(workloadText(&p.Run.Shape, p.Run.Workload)), Optional(p.Schedule.Steps.Interval),
			step, Optional(p.Schedule.Occupancy.WallSeconds.Interval),
			Optional(b.DeviceHours.Interval), Optional(b.CostUSD.Interval),
			Optional(b.EnergyKWh.Interval), Optional(b.CO2Kg.Interval), Text(plan.YesNo(p.Fits)))
	}
	t.Notes = append(t.Notes, missingNotes(plans)...)
	total := result.Total{
		Phase: "total", Time: result.Time{
			TotalSeconds: c.WallSeconds.Interval, Level: hardware.Level,
		},
		Cost: result.CostOf(&c.Bill), Missing: map[string]string{},
	}
	for name, e := range map[string]hardware.Estimate{
		"time.total_seconds": c.WallSeconds, "cost.usd": c.Bill.CostUSD,
		"cost.device_hours": c.Bill.DeviceHours, "cost.energy_kwh": c.Bill.EnergyKWh,
		"cost.co2_kg": c.Bill.CO2Kg,
	} {
		if e.Interval == nil {
			total.Missing[name] = e.Missing
		}
	}
	t.add(Text("total"), Cell{}, Cell{}, Cell{}, Cell{}, Cell{}, Cell{}, Cell{},
		Optional(c.WallSeconds.Interval), Optional(c.Bill.DeviceHours.Interval),
		Optional(c.Bill.CostUSD.Interval), Optional(c.Bill.EnergyKWh.Interval),
		Optional(c.Bill.CO2Kg.Interval), Cell{})
	r.Document.Add(total)
	r.Headline = []string{fmt.Sprintf("%s: %s, %s.", quantity.Of(len(c.Phases), "phase"), short(quantity.Duration, c.WallSeconds), short(quantity.Money, c.Bill.CostUSD))}
	r.Tables = append(r.Tables, t)
}
