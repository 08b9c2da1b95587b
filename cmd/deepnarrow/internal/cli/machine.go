package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// machineFlags say on what a run is executed and at which rates it is billed.
type machineFlags struct {
	profiles, clusters []string // --hardware and --cluster, as typed
	devices            devicesFlag
	layout             flops.Layout
	search             string // --layout: empty, or auto
	compiled           string
	software           hardware.Software

	opens opener // of profile files; nil as the user names them

	price, watts, pue, grid, goodput, mfu *float64
	region                                string
}

func (f *machineFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringArrayVar(&f.profiles, "hardware", nil,
		"accelerators by `name` (h100, a100-40gb), name with changes (a100,mem=40GiB,price=1.10) or profile file")
	flags.StringArrayVar(&f.clusters, "cluster", nil,
		"`clusters` by count and accelerator: 8xh100, 64xa100,price=1.20, 256xtpu-v5e,region=us-central1")
	flags.Var(&f.devices, "devices", "devices of each --hardware (default dp × tp × pp)")
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
	countFlag(c, &f.software.ContextParallel, "context-parallel",
		"devices that share each sequence (default 1)")
	countFlag(c, &f.software.ExpertParallel, "expert-parallel",
		"data-parallel devices that share the experts (default 1)")
	flags.StringVar(&f.compiled, "compiled", "auto",
		"whether the step is one compiled graph: yes, no or auto (by hardware)")
	flags.StringVar(&f.software.Stack, "stack", plan.AverageStack,
		"`trainer` whose measured effect on the step time applies, such as megatron; or average")
	f.price = optionalFlag(c, quantity.HourlyPrice, "price", "US dollars per device-hour")
	f.watts = optionalFlag(c, quantity.Power, "watts", "mean power of one device")
	f.pue = optionalFlag(c, quantity.Ratio, "pue",
		"energy of the data centre per energy of its computers")
	f.grid = optionalFlag(c, quantity.CarbonIntensity, "grid",
		"carbon intensity of the electricity, such as 400gCO2e/kWh")
	f.goodput = optionalFlag(c, quantity.Fraction, "goodput",
		"share of the rented time that trains")
	f.mfu = optionalFlag(c, quantity.Fraction, "mfu",
		"model FLOPs utilisation that your own runs reach, such as 38%: the level of the times is then yours")
	flags.StringVar(&f.region, "region", "",
		"cloud region or country, for grid intensity and PUE (deepnarrow list regions)")
}

// inputs adds what the flags state to the inputs of a JSON document.
func (f *machineFlags) inputs(in map[string]any) {
	in["hardware"] = append(append([]string{}, f.clusters...), f.profiles...)
	for name, n := range map[string]int{
		"dp": f.layout.DP, "tp": f.layout.TP, "pp": f.layout.PP,
		"zero":        f.layout.ZeRO,
		"micro_batch": f.layout.MicroBatch, "accumulate": f.layout.Accumulate,
		"interleave": f.layout.Interleave, "context": f.software.ContextParallel,
		"expert": f.software.ExpertParallel,
	} {
		if n != 0 {
			in[name] = n
		}
	}
	for name, v := range map[string]*float64{
		"price_usd_per_hour": given(f.price), "watts": given(f.watts), "pue": given(f.pue),
		"grid_kg_co2e_per_kwh": given(f.grid), "goodput": given(f.goodput),
		"mfu": given(f.mfu),
	} {
		if v != nil {
			in[name] = *v
		}
	}
	if devices := f.devices.input(); devices != nil {
		in["devices"] = devices
	}
	if f.layout.SequenceParallel {
		in["sequence_parallel"] = true
	}
	for name, word := range map[string]string{
		"region": f.region, "layout": f.search,
		"stack":    strings.TrimSuffix(f.software.Stack, plan.AverageStack),
		"compiled": strings.TrimSuffix(f.compiled, "auto"),
	} {
		if word != "" {
			in[name] = word
		}
	}
}

// named says whether a machine is named.
func (f *machineFlags) named() bool { return len(f.profiles)+len(f.clusters) > 0 }

// machines resolves every --cluster, and every --hardware at every count of --devices.
func (f *machineFlags) machines() ([]plan.Cluster, error) {
	if !f.named() {
		return nil, usage("deepnarrow list hardware shows what there is",
			"--hardware or --cluster is needed: which accelerator?")
	}
	bad := func(err error) error {
		return badInput(err, "deepnarrow list hardware shows what there is; clusters look like 8xh100")
	}
	opens := f.opens
	if opens == nil {
		opens = openfile.Named
	}
	find := func(spec string) (hardware.Profile, error) { return profile(spec, opens) }
	stated, err := plan.ParseClusters(find, f.clusters...)
	if err != nil {
		return nil, bad(err)
	}
	open, err := plan.ParseClusters(find, f.profiles...)
	if err != nil {
		return nil, bad(err)
	}
	var out []plan.Cluster
	for _, c := range append(stated, open...) {
		if c.Devices > 0 && len(f.devices.counts) > 0 {
			return nil, usage("", "%s and --devices both say how many devices; allowed: one of them", &c)
		}
		out = append(out, f.counted(c)...)
	}
	return out, nil
}

// counted returns a cluster at every count of --devices.
func (f *machineFlags) counted(c plan.Cluster) []plan.Cluster {
	if len(f.devices.counts) == 0 {
		return []plan.Cluster{c}
	}
	var out []plan.Cluster
	for _, n := range f.devices.counts {
		c.Devices = n
		out = append(out, c)
	}
	return out
}

// profile reads a profile file, with or without changes behind a comma, or finds a name of the
// catalogue.
func profile(spec string, open opener) (hardware.Profile, error) {
	name, overrides := hardware.SplitSpec(spec)
	if !strings.HasSuffix(name, ".yaml") && !strings.HasSuffix(name, ".yml") {
		return hardware.Parse(spec)
	}
	file, err := open(name)
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

// ask adds what the flags state to a question, but for the profile.
func (f *machineFlags) ask(q *plan.Question) error {
	q.Layout, q.Software = f.layout, f.software
	switch {
	case f.search == "":
	case f.search != "auto":
		return usage("a layout of your own is stated by --dp, --tp, --pp and --zero",
			"unknown layout: %q; allowed: auto", f.search)
	case f.layout != flops.Layout{}:
		return usage("",
			"--layout auto searches dp, tp, pp, zero, micro-batch and accumulation; allowed: without those flags")
	case !f.named():
		return usage("", "--layout auto needs --hardware or --cluster")
	default:
		q.Search = true
	}
	switch stacks := append(hardware.Stacks(), plan.AverageStack); {
	case f.software.Stack == plan.AverageStack:
		q.Software.Stack = ""
	case !slices.Contains(stacks, f.software.Stack):
		return unknownKind("stack", f.software.Stack, stacks)
	}
	switch f.compiled {
	case "auto":
	case "yes", "no":
		compiled := f.compiled == "yes"
		q.Software.Compiled = &compiled
	default:
		return unknownKind("value of --compiled", f.compiled, []string{"auto", "yes", "no"})
	}
	if q.Goodput = given(f.goodput); q.Goodput != nil && *q.Goodput == 0 {
		return usage("", "--goodput is 0; allowed: more than 0, up to 1")
	}
	if mfu := given(f.mfu); mfu != nil {
		if q.MFU = *mfu; q.MFU == 0 {
			return usage("", "--mfu is 0; allowed: more than 0, up to 1")
		}
		if !f.named() {
			return usage("", "--mfu needs --hardware or --cluster: what is its peak?")
		}
	}
	q.Rates = hardware.StatedRates{
		PriceUSDPerHour: given(f.price), MeanPowerWatts: given(f.watts), PUE: given(f.pue),
		KgCO2ePerKWh: given(f.grid), Region: f.region,
	}
	return nil
}

// planError gives the error of a plan its exit code.
func planError(err error) error {
	var none *hardware.NoLayoutError
	var region *hardware.RegionError
	var missing *hardware.MissingError
	var known *failure
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.As(err, &none):
		return noAnswer(err, "change --batch or --devices")
	case errors.As(err, &region):
		return badInput(fmt.Errorf("--region: %w", err),
			"deepnarrow list regions shows what there is")
	case errors.As(err, &missing):
		return usage("", "--layout auto: %w", err)
	}
	return usage("", "%w", err)
}
