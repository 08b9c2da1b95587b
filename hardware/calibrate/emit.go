package calibrate

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware/kernel"
	"github.com/deepnarrow/deepnarrow/shapes"
)

//go:embed twin/pytorch.py.tmpl
var pytorchTwin string

// pointsMark is where the twin takes its points.
const pointsMark = "@POINTS@"

// twinPoint is a [Point] as the twin reads it.
type twinPoint struct {
	Name          string    `json:"name"`
	Batch         int       `json:"batch"` // of one device
	EncoderLength int       `json:"encoder_length"`
	DecoderLength int       `json:"decoder_length"`
	Shape         twinShape `json:"shape"`
}

type twinShape struct {
	DModel  int       `json:"d_model"`
	Vocab   int       `json:"vocab"`
	Tied    bool      `json:"tied"`
	Encoder twinStack `json:"encoder"`
	Decoder twinStack `json:"decoder"`
}

type twinStack struct {
	Layers  int  `json:"layers"`
	Heads   int  `json:"heads"`
	DKV     int  `json:"d_kv"`
	DFF     int  `json:"d_ff"`
	Gated   bool `json:"gated"`
	Buckets int  `json:"buckets"`
}

func twinShapeOf(s *shapes.Shape) twinShape {
	stack := func(k *shapes.Stack) twinStack {
		return twinStack{
			Layers: k.Layers, Heads: k.Heads, DKV: k.DKV, DFF: k.DFF, Gated: k.Gated,
			Buckets: k.Positions,
		}
	}
	return twinShape{
		DModel: s.DModel, Vocab: s.Vocab, Tied: s.Head == shapes.HeadTied,
		Encoder: stack(&s.Encoder), Decoder: stack(&s.Decoder),
	}
}

// shape returns what twinShapeOf was given, under a name.
func (t *twinShape) shape(name string) (shapes.Shape, error) {
	s, err := shapes.Parse("t5-base") // the family's other fields
	if err != nil {
		return s, err
	}
	s.Name, s.DModel, s.Vocab, s.Head = name, t.DModel, t.Vocab, shapes.HeadUntied
	if t.Tied {
		s.Head = shapes.HeadTied
	}
	for _, k := range []struct {
		to   *shapes.Stack
		from twinStack
	}{{&s.Encoder, t.Encoder}, {&s.Decoder, t.Decoder}} {
		k.to.Layers, k.to.Heads, k.to.KVHeads, k.to.DKV = k.from.Layers, k.from.Heads, k.from.Heads,
			k.from.DKV
		k.to.DFF, k.to.Positions, k.to.Gated = k.from.DFF, k.from.Buckets, k.from.Gated
		if k.to.Activation = shapes.ReLU; k.from.Gated {
			k.to.Activation = shapes.GELU
		}
	}
	return s, kernel.Supported(&s)
}

// EmitPyTorch writes a self-contained Python script that times training steps of the points with
// PyTorch and prints a line of JSON each, which [ReadSteps] reads. The model is that of package
// kernel. Errors: those of [kernel.Supported], or of writing.
func EmitPyTorch(w io.Writer, points []Point) error {
	lines := make([]string, len(points))
	for i, p := range points {
		if err := kernel.Supported(&p.Shape); err != nil {
			return err
		}
		line, err := json.Marshal(twinPoint{
			p.Shape.Name, p.Workload.Batch,
			p.Workload.EncoderLength, p.Workload.DecoderLength, twinShapeOf(&p.Shape),
		})
		if err != nil {
			return fmt.Errorf("%s: %w", p.Shape.Name, err)
		}
		lines[i] = string(line)
	}
	_, err := io.WriteString(w, strings.Replace(pytorchTwin, pointsMark,
		"[\n"+strings.Join(lines, ",\n")+"\n]", 1))
	return err
}

// TwinExecution is what the twin does where its flags say nothing else.
func TwinExecution() flops.Execution {
	return flops.Execution{
		Precision: flops.BF16Mixed, Optimizer: flops.Adam,
		Attention: flops.UnfusedAttention,
	}
}

// TwinDesign is what to time on an accelerator where nothing else is said: shapes from Tiny to
// Large, 2 to 48 layers, encoders and decoders of unequal depth, small batches that launches bind
// and large ones that arithmetic binds.
func TwinDesign() []Point {
	var points []Point
	for _, row := range []struct {
		width   string
		depths  [][2]int
		batches []int
	}{
		{"t5-tiny", [][2]int{{2, 2}, {4, 4}, {16, 4}, {4, 16}, {48, 48}}, []int{8, 256}},
		{"t5-mini", [][2]int{{4, 4}, {24, 6}, {6, 24}}, []int{16, 256}},
		{"t5-small", [][2]int{{2, 8}, {6, 6}, {24, 4}, {16, 16}, {36, 36}}, []int{8, 128}},
		{"t5-base", [][2]int{{2, 2}, {12, 12}, {24, 6}, {36, 12}}, []int{4, 64}},
		{"t5-large", [][2]int{{4, 4}, {12, 24}, {24, 24}, {36, 12}}, []int{2, 16}},
	} {
		for i, depth := range row.depths {
			shape, err := shapes.Parse(fmt.Sprintf("%s/el=%d,dl=%d", row.width, depth[0], depth[1]))
			if err != nil {
				panic("calibrate: the twin's design names no shape: " + err.Error())
			}
			for j, batch := range row.batches {
				w := flops.Workload{Batch: batch, EncoderLength: 512, DecoderLength: 128}
				if (i+j)%3 == 0 {
					w.EncoderLength, w.DecoderLength = 256, 64
				}
				points = append(points, Point{shape, w})
			}
		}
	}
	return points
}
