package config

import (
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes"
)

// writeYAML returns a valid shape in this project's own format. Only what differs from the zero
// value is written, and [Read] gives the same shape back.
func writeYAML(s *shapes.Shape) string {
	w := &yamlWriter{}
	w.line("name: %s", quoteYAML(s.Name))
	if s.Family != "" {
		w.line("family: %s", s.Family)
	}
	zero := modelFields(&shapes.Shape{})
	for i, f := range modelFields(s) {
		w.field(&f, &zero[i])
	}
	if s.Dense != [shapes.MaxDense]shapes.Dense{} {
		w.line("dense:")
		for _, l := range s.Dense {
			if l.In > 0 {
				w.line("  - {at: %s, in: %d, out: %d, bias: %t}", l.At, l.In, l.Out, l.Bias)
			}
		}
	}
	w.stack("encoder", &s.Encoder)
	w.stack("decoder", &s.Decoder)
	return w.String()
}

type yamlWriter struct {
	strings.Builder
	indent string
}

func (w *yamlWriter) line(format string, args ...any) {
	fmt.Fprintf(w, w.indent+format+"\n", args...)
}

// field writes a field unless it has its zero value; of a dotted name what is behind the dot. Words
// with commas are a list.
func (w *yamlWriter) field(f, zero *shapeField) {
	v := f.String()
	if v == zero.String() && f.name != "head" && f.name != "position" {
		return
	}
	if strings.Contains(v, ",") {
		v = "[" + strings.ReplaceAll(v, ",", ", ") + "]"
	}
	w.line("%s: %s", f.name[strings.IndexByte(f.name, '.')+1:], v)
}

func (w *yamlWriter) stack(name string, k *shapes.Stack) {
	if k.Layers == 0 {
		return
	}
	w.line("%s:", name)
	w.indent = "  "
	section := ""
	zero := stackFields(&shapes.Stack{})
	for i, f := range stackFields(k) {
		head, _, cut := strings.Cut(f.name, ".")
		switch {
		case !cut:
			w.field(&f, &zero[i])
			continue
		case head == "latent" && k.Latent == (shapes.Latent{}),
			head == "frontend" && k.Frontend == (shapes.Frontend{}):
			continue
		case head != section:
			w.line("%s:", head)
			section = head
		}
		w.indent = "    "
		w.field(&f, &zero[i])
		w.indent = "  "
	}
	if k.Frontend.Kind == shapes.Convolved {
		w.line("  convs:")
		for _, c := range k.Frontend.Convs {
			if c.In > 0 {
				w.line("    - {in: %d, out: %d, taps: %d, rate: %d, extra: %d, bias: %t}", c.In,
					c.Out, c.Taps, c.Rate, c.Extra, c.Bias)
			}
		}
	}
	w.indent = ""
}

// quoteYAML returns text as a YAML value that cannot be taken for anything else.
func quoteYAML(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
