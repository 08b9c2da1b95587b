package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// machineFlags say on what a run is executed and at which rates it is billed.
type machineFlags struct {
	profiles []string
	devices  int // 0 when not given
	layout   flops.Layout
	search   string // --layout: empty, or auto
	compiled string

	price, watts, pue, grid, goodput *float64
	region                           string
}

func (f *machineFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringArrayVar(&f.profiles, "hardware", nil,
		"accelerator `name`, name with changes (a100,mem=40GiB,price=1.10) or profile file; may be repeated")
	countFlag(c, &f.devices, "devices", "devices of the run (default dp × tp × pp)")
	flags.StringVar(&f.search, "layout", "",
		"auto: search the fastest layout that fits, over dp, tp, pp, zero, micro-batch and recompute, as recommend does where none is stated")
	countFlag(c, &f.layout.DP, "dp", "data-parallel copies (default: what devices leaves)")
	countFlag(c, &f.layout.TP, "tp", "tensor-parallel devices (default 1)")
	countFlag(c, &f.layout.PP, "pp", "pipeline stages (default 1)")
	flags.IntVar(&f.layout.ZeRO, "zero", 0, "ZeRO stage, 0 to 3 (3 = FSDP)")
	countFlag(c, &f.layout.MicroBatch, "micro-batch", "sequences in one pass through one copy")
	countFlag(c, &f.layout.Accumulate, "accumulate", "passes per step and copy")
	countFlag(c, &f.layout.Interleave, "interleave",
		"chunks of layers per pipeline stage (default 1)")
	flags.BoolVar(&f.layout.SequenceParallel, "sequence-parallel", false,
		"split the tensors between matrix products over tp")
	flags.StringVar(&f.compiled, "compiled", "auto",
		"whether the step is one compiled graph: yes, no or auto (by hardware)")
	f.price = optionalFlag(c, quantity.HourlyPrice, "price", "US dollars per device-hour")
	f.watts = optionalFlag(c, quantity.Power, "watts", "mean power of one device")
	f.pue = optionalFlag(c, quantity.Ratio, "pue",
		"energy of the data centre per energy of its computers")
	f.grid = optionalFlag(c, quantity.CarbonIntensity, "grid",
		"carbon intensity of the electricity, such as 400gCO2e/kWh")
	f.goodput = optionalFlag(c, quantity.Fraction, "goodput",
		"share of the rented time that trains")
	flags.StringVar(&f.region, "region", "",
		"cloud region or country, for grid intensity and PUE (deepnarrow list regions)")
}

// inputs adds what the flags state to the inputs of a JSON document.
func (f *machineFlags) inputs(in map[string]any) {
	in["hardware"] = append([]string{}, f.profiles...)
	for name, n := range map[string]int{
		"devices": f.devices, "dp": f.layout.DP, "tp": f.layout.TP, "pp": f.layout.PP,
		"zero":        f.layout.ZeRO,
		"micro_batch": f.layout.MicroBatch, "accumulate": f.layout.Accumulate,
		"interleave": f.layout.Interleave,
	} {
		if n != 0 {
			in[name] = n
		}
	}
	for name, v := range map[string]*float64{
		"price_usd_per_hour": given(f.price), "watts": given(f.watts), "pue": given(f.pue),
		"grid_kg_co2e_per_kwh": given(f.grid), "goodput": given(f.goodput),
	} {
		if v != nil {
			in[name] = *v
		}
	}
	for name, word := range map[string]string{"region": f.region, "layout": f.search} {
		if word != "" {
			in[name] = word
		}
	}
}

// hardware resolves every --hardware.
func (f *machineFlags) hardware() ([]hardware.Profile, error) {
	if len(f.profiles) == 0 {
		return nil, usage("deepnarrow list hardware shows what there is",
			"--hardware is needed: which accelerator?")
	}
	var out []hardware.Profile
	for _, spec := range f.profiles {
		p, err := profile(spec)
		if err != nil {
			return nil, badInput(err,
				"deepnarrow list hardware shows what there is; several stand side by side by repeating --hardware")
		}
		out = append(out, p)
	}
	return out, nil
}

// profile reads a profile file, with or without changes behind a comma, or finds a name of the
// catalogue.
func profile(spec string) (hardware.Profile, error) {
	name, overrides := hardware.SplitSpec(spec)
	if !strings.HasSuffix(name, ".yaml") && !strings.HasSuffix(name, ".yml") {
		return hardware.Parse(spec)
	}
	file, err := os.Open(name)
	if err != nil {
		return hardware.Profile{}, err
	}
	defer file.Close()
	p, err := hardware.ReadProfile(name, file)
	if err != nil || overrides == "" {
		return p, err
	}
	return hardware.Override(p, overrides)
}

// place returns the layout of a shape's workload over the devices. A batch that nobody stated grows
// to fill every copy.
func (f *machineFlags) place(s *shapes.Shape, w flops.Workload, batchGiven bool) (flops.Layout,
	flops.Workload, error,
) {
	l := f.layout
	model := max(1, l.TP) * max(1, l.PP)
	if l.DP == 0 && f.devices > 0 {
		if f.devices%model != 0 {
			return l, w, usage("", "devices is %d; allowed: a multiple of tp × pp = %d", f.devices,
				model)
		}
		l.DP = f.devices / model
	}
	if f.devices > 0 && l.Devices() != f.devices {
		return l, w, usage("", "dp × tp × pp is %d; allowed: the number of devices, %d",
			l.Devices(), f.devices)
	}
	if unit := max(1, l.DP) * max(1, l.MicroBatch) * max(1, l.Accumulate); !batchGiven {
		w.Batch = (w.Batch + unit - 1) / unit * unit
		if l.MicroBatch > 0 && l.Accumulate > 0 {
			w.Batch = unit
		}
	}
	if err := l.Validate(s, w); err != nil {
		return l, w, usage("", "%w", err)
	}
	return l.For(w), w, nil
}

// auto reports whether the layout is to be searched.
func (f *machineFlags) auto() (bool, error) {
	switch {
	case f.search == "":
		return false, nil
	case f.search != "auto":
		return false, usage("a layout of your own is stated by --dp, --tp, --pp and --zero",
			"unknown layout: %q; allowed: auto", f.search)
	case f.layout != flops.Layout{}:
		return false, usage("",
			"--layout auto searches dp, tp, pp, zero, micro-batch and accumulation; allowed: without those flags")
	}
	return true, nil
}

// software returns the stack that the flags state.
func (f *machineFlags) software() (hardware.Software, error) {
	switch f.compiled {
	case "auto":
		return hardware.Software{}, nil
	case "yes", "no":
		compiled := f.compiled == "yes"
		return hardware.Software{Compiled: &compiled}, nil
	}
	return hardware.Software{}, unknownKind("value of --compiled", f.compiled,
		[]string{"auto", "yes", "no"})
}

// rates returns what a profile's run is billed at, and its goodput.
func (f *machineFlags) rates(p hardware.Profile) (hardware.Rates, hardware.Input, error) {
	goodput := hardware.DefaultGoodput()
	if v := given(f.goodput); v != nil {
		if *v == 0 {
			return hardware.Rates{}, goodput, usage("",
				"--goodput is 0; allowed: more than 0, up to 1")
		}
		goodput = hardware.Given("goodput", *v)
	}
	rates, err := hardware.ResolveRates(p, f.stated())
	var region *hardware.RegionError
	switch {
	case errors.As(err, &region):
		return rates, goodput, badInput(fmt.Errorf("--region: %w", err),
			"deepnarrow list regions shows what there is")
	case err != nil:
		return rates, goodput, usage("", "%w", err)
	}
	return rates, goodput, nil
}

// stated returns the rates that flags state.
func (f *machineFlags) stated() hardware.StatedRates {
	return hardware.StatedRates{
		PriceUSDPerHour: given(f.price), MeanPowerWatts: given(f.watts), PUE: given(f.pue),
		KgCO2ePerKWh: given(f.grid), Region: f.region,
	}
}
