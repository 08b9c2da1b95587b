package plan

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware"
	"github.com/deepnarrow/deepnarrow/internal/plain"
)

// Flag is a flag of the plan command; one without a value stands alone.
type Flag struct{ Name, Value string }

// layoutFlags are the flags that a layout takes the place of.
var layoutFlags = []string{
	"layout", "dp", "tp", "pp", "zero", "micro-batch", "accumulate", "interleave",
	"sequence-parallel", "recompute",
}

// LayoutFlags returns the flags that lay a run out as it is: the same numbers come of them as of
// the search that found the layout.
func LayoutFlags(run *hardware.Run) []Flag {
	l := run.Layout.For(run.Workload)
	flags := []Flag{{"dp", strconv.Itoa(l.DP)}}
	for _, f := range []struct {
		name string
		n    int
	}{{"tp", l.TP}, {"pp", l.PP}, {"interleave", l.Interleave}} {
		if f.n > 1 {
			flags = append(flags, Flag{f.name, strconv.Itoa(f.n)})
		}
	}
	if l.ZeRO > 0 {
		flags = append(flags, Flag{"zero", strconv.Itoa(l.ZeRO)})
	}
	flags = append(flags, Flag{"micro-batch", strconv.Itoa(l.MicroBatch)})
	if l.SequenceParallel {
		flags = append(flags, Flag{"sequence-parallel", ""})
	}
	if mode := run.Execution.Recompute; mode != flops.RecomputeNone {
		flags = append(flags, Flag{"recompute", mode.String()})
	}
	return flags
}

// ChangeFlags returns the flags that turn one run into another, and false where no flag does: the
// machine or the shape is another. More devices and another card are the cluster's, see [command].
// Of a searched layout all flags are stated, so that it is not searched anew.
func ChangeFlags(from, to *hardware.Run, searched bool) ([]Flag, bool) {
	var flags []Flag
	add := func(differs bool, name string, value any) {
		if differs {
			flags = append(flags, Flag{name, fmt.Sprint(value)})
		}
	}
	x, y := &from.Execution, &to.Execution
	v, w := from.Workload, to.Workload
	add(x.Precision != y.Precision, "precision", y.Precision)
	add(x.Optimizer != y.Optimizer, "optimizer", y.Optimizer)
	add(x.Attention != y.Attention, "attention", y.Attention)
	add(x.Tuning.Rank != y.Tuning.Rank, "lora", fmt.Sprintf("rank=%d", y.Tuning.Rank))
	add(x.Tuning.Stored != y.Tuning.Stored, "weights", y.Tuning.Stored)
	add(v.Batch != w.Batch, "batch", w.Batch)
	add(v.EncoderLength != w.EncoderLength && to.Shape.Encoder.Layers > 0, "encoder-length",
		w.EncoderLength)
	add(v.DecoderLength != w.DecoderLength && to.Shape.Decoder.Layers > 0, "decoder-length",
		w.DecoderLength)
	compiled := to.Compiled()
	add(from.Compiled() != compiled, "compiled", YesNo(&compiled))
	changed := len(flags) > 0
	if searched || from.Layout.For(v) != to.Layout.For(w) || x.Recompute != y.Recompute {
		changed = changed || from.Layout.For(v) != to.Layout.For(w) || x.Recompute != y.Recompute
		flags = append(flags, LayoutFlags(to)...)
	}
	same := from.Shape == to.Shape && (from.Profile.Name != to.Profile.Name ||
		sameRates(&from.Profile, &to.Profile))
	return flags, same && (changed || from.Profile.Name != to.Profile.Name)
}

// YesNo writes what may not be known.
func YesNo(b *bool) string {
	switch {
	case b == nil:
		return "unknown"
	case *b:
		return "yes"
	}
	return "no"
}

// Told returns the changes of a run that are worth telling, the first eight at most: of one that
// does not fit any, else those that gain a hundredth or more.
func Told[T any](changes []T, unfit bool, gain func(*T) float64) []T {
	const most = 8
	for i := range changes {
		if i == most || !unfit && gain(&changes[i]) < Worthwhile {
			return changes[:i]
		}
	}
	return changes
}

// Worthwhile is the gain from which a change of a run that fits is told.
const Worthwhile = 0.01

// sameRates says whether nothing was bought for a machine that keeps its name.
func sameRates(a, b *hardware.Profile) bool {
	return a.BandwidthBytesPerSecond == b.BandwidthBytesPerSecond &&
		a.IntraBytesPerSecond == b.IntraBytesPerSecond &&
		a.InterBytesPerSecond == b.InterBytesPerSecond
}

// command returns the command line that plans a shape on a cluster as typed before, with flags that
// take the place of those typed.
func command(shape string, cluster *Cluster, typed, flags []Flag) string {
	replaced := []string{"hardware", "cluster", "devices"}
	for _, f := range flags {
		replaced = append(replaced, f.Name)
		if slices.Contains(layoutFlags, f.Name) {
			replaced = append(replaced, layoutFlags...)
		}
	}
	line := []string{"deepnarrow plan", plain.Quoted(shape), "--cluster " + plain.Quoted(cluster.String())}
	add := func(f Flag) {
		text := "--" + f.Name
		if f.Value != "" {
			text += " " + plain.Quoted(f.Value)
		}
		line = append(line, text)
	}
	for _, f := range typed {
		if !slices.Contains(replaced, f.Name) {
			add(f)
		}
	}
	for _, f := range flags {
		add(f)
	}
	return strings.Join(line, " ")
}

// surely is memory that the GPUs of [FirstCommand] have: what takes less needs no trial.
const surely = 64 << 30

// FirstCommand returns a command line that plans a counted shape on GPUs that can be rented and that the
// run fits on, laid out as plan does it unasked or else in the fastest way; empty where that is on none.
func FirstCommand(shape string, typed []Flag, counted *Answer, q Question) string {
	at := Cluster{Devices: 8, Profile: hardware.Profile{Name: "a100"}}
	if counted.Memory.PeakBytes <= surely {
		return command(shape, &at, typed, nil)
	}
	var err error
	if at.Profile, err = hardware.Find(at.Profile.Name); err != nil {
		return ""
	}
	for _, at.Devices = range []int{8, 64, 512} {
		ask, flags := at.Ask(q), []Flag(nil)
		for range 2 {
			if a, err := ask.Answer(); err == nil && a.Fits != nil && *a.Fits {
				return command(shape, &at, typed, flags)
			}
			ask.Search, ask.Recompute, flags = true, nil, []Flag{{"layout", "auto"}}
		}
	}
	return ""
}

// Commands returns the command line that lays a run out the same way, empty unless its layout was
// searched, and for each of its changes the one that makes it, empty where no flag does. Where the level
// of the times is stated by the user, a change typed beside it would change none: there are no such lines.
func Commands(shape string, cluster *Cluster, typed []Flag, a *Answer, searched, stated bool) (
	same string, mends []string,
) {
	if searched {
		same = command(shape, cluster, typed, LayoutFlags(&a.Run))
	}
	if stated || cluster.Profile.MFU != nil {
		return same, nil
	}
	for i := range a.Changes {
		c := &a.Changes[i]
		mends = append(mends, "")
		flags, ok := ChangeFlags(&a.Run, &c.Run, searched)
		if !ok {
			continue
		}
		at, mine := *cluster, typed
		if at.Devices = c.Run.Devices(); c.Run.Profile.Name != a.Run.Profile.Name {
			at = Cluster{Devices: at.Devices, Profile: c.Run.Profile, Region: at.Region}
			mine = slices.DeleteFunc(slices.Clone(typed), func(f Flag) bool {
				return slices.Contains([]string{"price", "watts", "mfu"}, f.Name)
			})
		}
		mends[i] = command(shape, &at, mine, flags)
	}
	return same, mends
}

// LayoutText writes how a resolved run is laid out, all that a search chooses: "dp 16", "dp 8, tp 2,
// zero 1, 4 × micro-batch 2, sequence parallel, recompute full".
func LayoutText(run *hardware.Run) string {
	l, s := run.Layout, run.Software
	var parts []string
	for _, axis := range []struct {
		name string
		n    int
	}{
		{"dp", l.DP},
		{"tp", l.TP},
		{"pp", l.PP},
		{"context", s.ContextParallel},
		{"expert", s.ExpertParallel},
		{"interleave", l.Interleave},
	} {
		if axis.n > 1 {
			parts = append(parts, fmt.Sprintf("%s %d", axis.name, axis.n))
		}
	}
	if len(parts) == 0 {
		parts = append(parts, "single")
	}
	if l.ZeRO > 0 {
		parts = append(parts, fmt.Sprintf("zero %d", l.ZeRO))
	}
	if l.Accumulate > 1 {
		parts = append(parts, fmt.Sprintf("%d × micro-batch %d", l.Accumulate, l.MicroBatch))
	}
	if l.SequenceParallel && l.TP > 1 {
		parts = append(parts, "sequence parallel")
	}
	if mode := run.Execution.Recompute; mode != flops.RecomputeNone {
		parts = append(parts, "recompute "+mode.String())
	}
	return strings.Join(parts, ", ")
}
