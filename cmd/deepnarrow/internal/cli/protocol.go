package cli

import (
	"github.com/spf13/cobra"

	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/asks"
	"github.com/deepnarrow/deepnarrow/cmd/deepnarrow/internal/frame"
	"github.com/deepnarrow/deepnarrow/reports/recommend"
	"github.com/deepnarrow/deepnarrow/reports/recommend/evidence"
	"github.com/deepnarrow/deepnarrow/shapes"
)

func (a *app) protocol() *cobra.Command {
	var ask asks.Question
	var from, file, group string
	var runs asks.Runs
	c := &cobra.Command{
		Use:     "protocol --from small,base,large",
		Short:   "Cost and gain of one step of depth, width, heads, …",
		GroupID: groupRecommend,
		Long: `For each starting size and each scaling operation of the paper (nl el dl ff dm kv nh):
the exact change of parameters, FLOPs, memory, step time and money for one step up,
beside the measured or predicted change of upstream loss and of SuperGLUE, each with
the interval of the difference of two runs. An operation that nobody has measured
shows its costs and says so.`,
		Example: "  deepnarrow protocol --from small,base,large --hardware tpu-v3 --devices 16",
		Args:    frame.NoArguments("--from SIZE names the size"),
		RunE: func(*cobra.Command, []string) error {
			f := recommendFlags{align: "64", records: file, groupBy: group, runs: runs}
			var starts []shapes.Shape
			for _, name := range asks.SplitShapes(from) {
				s, err := shapes.Parse(name)
				if err != nil {
					if t5, prefixed := shapes.Parse("t5-" + name); prefixed == nil {
						s, err = t5, nil
					}
				}
				if err != nil {
					return asks.ShapeError(err)
				}
				starts = append(starts, s)
			}
			var request recommend.Request
			var err error
			if request.Question, err = ask.Searched(); err != nil {
				return err
			}
			var notes []string
			if file != "" {
				if request.Records, notes, err = a.RecordRows(&f.runs, file, group); err != nil {
					return err
				}
			}
			if err := f.alignment(&request); err != nil {
				return err
			}
			steps, err := recommend.Protocol(request, starts)
			switch {
			case frame.Is[*shapes.InvalidError](err):
				return frame.Usage("", "%w", err)
			case err != nil:
				return frame.NoAnswer(err, "")
			}
			r := frame.NewReport("protocol", "from", from)
			r.Document.Warn(notes...)
			ask.Inputs(r.Document.Inputs)
			r.Document.Conventions["flops"] = "matmul"
			var opinions []evidence.SecondOpinion
			if file == "" {
				if opinions, err = evidence.SecondOpinions(); err != nil {
					return err
				}
			}
			r.Protocol(steps, opinions)
			return a.Render(r)
		},
	}
	a.Output.Register(c)
	c.Flags().StringVar(&from, "from", "small,base,large", "starting `shapes`, separated by commas")
	c.Flags().StringVar(&file, "records", "",
		"`file` of your own runs to use instead, as fit reads them")
	c.Flags().StringVar(&group, "records-group", "",
		"column that tells runs apart whose losses are not on one scale")
	c.Flags().StringArrayVar(&runs.Mapping, "map", nil,
		"`ours=theirs`: which column of --records is ours")
	ask.RegisterWork(c)
	return c
}
