package asks

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/openfile"
	"github.com/deepnarrow/deepnarrow/internal/quantity"
	"github.com/deepnarrow/deepnarrow/internal/yamlfile"
	"github.com/deepnarrow/deepnarrow/reports/plan"
)

// Machine say on what a run is executed and at which rates it is billed.
type Machine struct {
	Profiles, Clusters []string // --hardware and --cluster, as typed
	Devices            devices
	Layout             flops.Layout
	search             string // --layout: empty, or auto
	compiled           string
	software           hardware.Software

	Opens frame.Opener // of profile files; nil as the user names them

	price, watts, pue, grid, goodput, mfu *float64
	region                                string
}

func (f *Machine) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringArrayVar(&f.Profiles, "hardware", nil,
		"accelerators by `name` (h100, a100-40gb), name with changes (a100,mem=40GiB,price=1.10) or profile file")
	flags.StringArrayVar(&f.Clusters, "cluster", nil,
		"`clusters` by count and accelerator: 8xh100, 64xa100,price=1.20, 256xtpu-v5e,region=us-central1")
	flags.Var(&f.Devices, "devices", "devices of each --hardware (default dp × tp × pp)")
	flags.StringVar(&f.search, "layout", "",
		"auto: search the fastest layout that fits, over dp, tp, pp, zero, micro-batch and recompute, as recommend does where none is stated")
	frame.CountFlag(c, &f.Layout.DP, "dp", "data-parallel copies (default: what devices leaves)")
	frame.CountFlag(c, &f.Layout.TP, "tp", "tensor-parallel devices (default 1)")
	frame.CountFlag(c, &f.Layout.PP, "pp", "pipeline stages (default 1)")
	flags.IntVar(&f.Layout.ZeRO, "zero", 0, "ZeRO stage, 0 to 3 (3 = FSDP)")
	frame.CountFlag(c, &f.Layout.MicroBatch, "micro-batch", "sequences in one pass through one copy")
	frame.CountFlag(c, &f.Layout.Accumulate, "accumulate", "passes per step and copy")
	frame.CountFlag(c, &f.Layout.Interleave, "interleave",
		"chunks of layers per pipeline stage (default 1)")
	flags.BoolVar(&f.Layout.SequenceParallel, "sequence-parallel", false,
		"split the tensors between matrix products over tp")
	frame.CountFlag(c, &f.software.ContextParallel, "context-parallel",
		"devices that share each sequence (default 1)")
	frame.CountFlag(c, &f.software.ExpertParallel, "expert-parallel",
		"data-parallel devices that share the experts (default 1)")
	flags.StringVar(&f.compiled, "compiled", "auto",
		"whether the step is one compiled graph: yes, no or auto (by hardware)")
	flags.StringVar(&f.software.Stack, "stack", plan.AverageStack,
		"`trainer` whose measured effect on the step time applies, such as megatron; or average")
	frame.OptionalFlag(c, quantity.HourlyPrice, &f.price, "price", "US dollars per device-hour")
	frame.OptionalFlag(c, quantity.Power, &f.watts, "watts", "mean power of one device")
	frame.OptionalFlag(c, quantity.Ratio, &f.pue, "pue",
		"energy of the data centre per energy of its computers")
	frame.OptionalFlag(c, quantity.CarbonIntensity, &f.grid, "grid",
		"carbon intensity of the electricity, such as 400gCO2e/kWh")
	frame.OptionalFlag(c, quantity.Fraction, &f.goodput, "goodput",
		"share of the rented time that trains")
	frame.OptionalFlag(c, quantity.Fraction, &f.mfu, "mfu",
		"model FLOPs utilisation that your own runs reach, such as 38%: the level of the times is then yours")
	flags.StringVar(&f.region, "region", "",
		"cloud region or country, for grid intensity and PUE (deepnarrow list regions)")
}

// inputs adds what the flags state to the inputs of a JSON document.
func (f *Machine) inputs(in map[string]any) {
	in["hardware"] = append(append([]string{}, f.Clusters...), f.Profiles...)
	l, s := &f.Layout, &f.software
	frame.State(in, "dp", l.DP, "tp", l.TP, "pp", l.PP, "zero", l.ZeRO,
		"micro_batch", l.MicroBatch, "accumulate", l.Accumulate, "interleave", l.Interleave,
		"sequence_parallel", l.SequenceParallel, "context", s.ContextParallel, "expert", s.ExpertParallel,
		"price_usd_per_hour", f.price, "watts", f.watts, "pue", f.pue, "grid_kg_co2e_per_kwh", f.grid,
		"goodput", f.goodput, "mfu", f.mfu, "region", f.region,
		"devices", f.Devices.input(), "layout", f.search,
		"stack", strings.TrimSuffix(s.Stack, plan.AverageStack),
		"compiled", strings.TrimSuffix(f.compiled, "auto"))
}

// Named says whether a machine is named.
func (f *Machine) Named() bool { return len(f.Profiles)+len(f.Clusters) > 0 }

// Machines resolves every --cluster, and every --hardware at every count of --devices.
func (f *Machine) Machines() ([]plan.Cluster, error) {
	if !f.Named() {
		return nil, frame.Usage("deepnarrow list hardware shows what there is",
			"--hardware or --cluster is needed: which accelerator?")
	}
	bad := func(err error) error {
		return frame.BadInput(err, "deepnarrow list hardware shows what there is; clusters look like 8xh100")
	}
	opens := f.Opens
	if opens == nil {
		opens = openfile.Named
	}
	find := func(spec string) (hardware.Profile, error) { return Profile(spec, opens) }
	stated, err := plan.ParseClusters(find, f.Clusters...)
	if err != nil {
		return nil, bad(err)
	}
	open, err := plan.ParseClusters(find, f.Profiles...)
	if err != nil {
		return nil, bad(err)
	}
	var out []plan.Cluster
	for _, c := range append(stated, open...) {
		if c.Devices > 0 && len(f.Devices.counts) > 0 {
			return nil, frame.Usage("", "%s and --devices both say how many devices; allowed: one of them", &c)
		}
		out = append(out, f.Counted(c)...)
	}
	return out, nil
}

// Counted returns a cluster at every count of --devices.
func (f *Machine) Counted(c plan.Cluster) []plan.Cluster {
	if len(f.Devices.counts) == 0 {
		return []plan.Cluster{c}
	}
	var out []plan.Cluster
	for _, n := range f.Devices.counts {
		c.Devices = n
		out = append(out, c)
	}
	return out
}

// WritesProfile refuses a name for a profile to write by which --hardware would not find it.
func WritesProfile(flag, name string) error {
	if name == "" || yamlfile.Called(name) || frame.IsDevice(name) {
		return nil
	}
	return frame.Usage("", "%s %s: a profile is read by its ending; allowed: .yaml, .yml", flag, name)
}

// Profile reads a profile file, with or without changes behind a comma, or finds a name of the
// catalogue.
func Profile(spec string, open frame.Opener) (hardware.Profile, error) {
	name, overrides := hardware.SplitSpec(spec)
	if !yamlfile.Called(name) {
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

// AddTo adds what the flags state to a question, but for the profile.
func (f *Machine) AddTo(q *plan.Question) error {
	q.Layout, q.Software = f.Layout, f.software
	switch {
	case f.search == "":
	case f.search != "auto":
		return frame.Usage("a layout of your own is stated by --dp, --tp, --pp and --zero",
			"unknown layout: %q; allowed: auto", f.search)
	case f.Layout != flops.Layout{}:
		return frame.Usage("",
			"--layout auto searches dp, tp, pp, zero, micro-batch and accumulation; allowed: without those flags")
	case !f.Named():
		return frame.Usage("", "--layout auto needs --hardware or --cluster")
	default:
		q.Search = true
	}
	switch stacks := append(hardware.Stacks(), plan.AverageStack); {
	case f.software.Stack == plan.AverageStack:
		q.Software.Stack = ""
	case !slices.Contains(stacks, f.software.Stack):
		return frame.UnknownWord("stack", f.software.Stack, stacks)
	}
	var err error
	q.Software.Compiled, err = frame.YesNo("value of --compiled", f.compiled,
		"auto", "auto", "yes", "no")
	if err != nil {
		return err
	}
	if q.Goodput = f.goodput; q.Goodput != nil && *q.Goodput == 0 {
		return frame.Usage("", "--goodput is 0; allowed: more than 0, up to 1")
	}
	if mfu := f.mfu; mfu != nil {
		if q.MFU = *mfu; q.MFU == 0 {
			return frame.Usage("", "--mfu is 0; allowed: more than 0, up to 1")
		}
		if !f.Named() {
			return frame.Usage("", "--mfu needs --hardware or --cluster: what is its peak?")
		}
	}
	q.Rates = hardware.StatedRates{
		PriceUSDPerHour: f.price, MeanPowerWatts: f.watts, PUE: f.pue,
		KgCO2ePerKWh: f.grid, Region: f.region,
	}
	return nil
}

// PlanError gives the error of a plan its exit code.
func PlanError(err error) error {
	switch {
	case err == nil || frame.Coded(err):
		return err
	case frame.Is[*hardware.NoLayoutError](err):
		return frame.NoAnswer(err, "change --batch or --devices")
	case frame.Is[*hardware.RegionError](err):
		return frame.BadInput(fmt.Errorf("--region: %w", err),
			"deepnarrow list regions shows what there is")
	case frame.Is[*hardware.MissingError](err):
		return frame.Usage("", "--layout auto: %w", err)
	}
	return frame.Usage("", "%w", err)
}

// devices is one count, several, or auto.
type devices struct {
	counts []int
	Auto   bool
	text   string
}

// Set adds counts: 8, or 8,64, or auto.
func (f *devices) Set(text string) error {
	for _, item := range quantity.SplitList(text) {
		if item == "auto" {
			f.Auto = true
			continue
		}
		var n int
		if err := quantity.NewCountFlag(&n).Set(item); err != nil {
			return err
		}
		if slices.Contains(f.counts, n) {
			return fmt.Errorf("%d is given twice", n)
		}
		f.counts = append(f.counts, n)
	}
	if f.Auto && len(f.counts) > 0 {
		return fmt.Errorf("both auto and counts; allowed: one of them")
	}
	f.text = strings.TrimPrefix(f.text+","+text, ",")
	return nil
}

func (f *devices) String() string { return f.text }

// Type is the word shown after the flag in the help.
func (f *devices) Type() string { return "counts" }

// Many says that the flag may be repeated.
func (f *devices) Many() bool { return true }

// input is what the flag adds to the inputs of a JSON document: a number, several, auto or nothing.
func (f *devices) input() any {
	switch {
	case f.Auto:
		return "auto"
	case len(f.counts) == 0:
		return nil
	case len(f.counts) == 1:
		return f.counts[0]
	}
	return f.counts
}
