package plan

import (
	"testing"

	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func TestCombinations(t *testing.T) {
	batch := []WhatIf{{Name: "batch", Value: "64"}, {Name: "batch", Value: "128"}}
	zero := []WhatIf{{Name: "zero", Value: "0"}, {Name: "zero", Value: "3"}}
	got, err := Combinations([][]WhatIf{batch, zero})
	if err != nil || len(got) != 4 || got[1][0].Value != "64" || got[1][1].Value != "3" {
		t.Errorf("two values of two flags make %v, %v", got, err)
	}
	if none, err := Combinations(nil); err != nil || len(none) != 1 || len(none[0]) != 0 {
		t.Errorf("no values make %v, %v", none, err)
	}
	many := make([]WhatIf, mostCombinations+1)
	if _, err := Combinations([][]WhatIf{many}); err == nil {
		t.Error("more than the bound are taken")
	}
}

// TestBeside: a cluster that no layout spreads over, since 8209 is a prime, is told where another has a plan, and is the error where
// it is alone.
func TestBeside(t *testing.T) {
	shape, err := shapes.Lookup("t5-small")
	if err != nil {
		t.Fatal(err)
	}
	device, err := hardware.Parse("a100")
	if err != nil {
		t.Fatal(err)
	}
	q := Question{Shape: shape, Search: true}
	q.Workload.Batch = 8
	clusters := []Cluster{{Profile: device, Devices: 1}, {Profile: device, Devices: 8209}}
	variants := [][]WhatIf{nil, {{Name: "price", Value: "2x"}}}
	all, err := q.Beside(clusters, variants, false)
	if err != nil || len(all) != 3 {
		t.Fatalf("%d plans, %v", len(all), err)
	}
	if all[0].None != nil || all[1].Label != "price 2x" || all[2].None == nil {
		t.Errorf("%v, %q, %v", all[0].None, all[1].Label, all[2].None)
	}
	once, twice := Cost.Of(&all[0].Answer), Cost.Of(&all[1].Answer)
	if once.Interval == nil || twice.Interval == nil || twice.Interval.Value != 2*once.Interval.Value {
		t.Errorf("the bill %v is not twice %v", twice, once)
	}
	if _, err := q.Beside(clusters[1:], variants, false); err == nil {
		t.Error("a cluster alone has a plan that no layout fits")
	}
}

func TestUnquoted(t *testing.T) {
	sheet, own := hardware.Field{Origin: hardware.DataSheet}, hardware.Field{Origin: "flag"}
	got := Unquoted([]Cluster{
		{Devices: 8, Profile: hardware.Profile{Name: "a", PriceUSDPerHour: &sheet}},
		{Devices: 8, Profile: hardware.Profile{Name: "b", PriceUSDPerHour: &own}},
		{Devices: 8, Profile: hardware.Profile{Name: "c"}},
	})
	if len(got) != 2 || got[0] != "8xa" || got[1] != "8xc" {
		t.Errorf("%v have no price", got)
	}
}

func TestServedWarnsOfTooFewDevices(t *testing.T) {
	s := Served{Copies: 4, Serving: Serving{TP: 2, Rented: 6}}
	if told := s.Warnings(); len(told) != 1 {
		t.Errorf("8 devices of 6 rented: %q", told)
	}
	if s.Rented = 8; len(s.Warnings()) != 0 {
		t.Errorf("8 devices of 8 rented: %q", s.Warnings())
	}
}
