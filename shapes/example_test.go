package shapes_test

import (
	"fmt"

	"github.com/deepnarrow/deepnarrow/shapes"
)

func ExampleParse() {
	for _, ref := range []string{
		"Small 16L", "XL 32L", "t5-efficient-tiny-el8",
		"t5-efficient-tiny/el=8", "small-ff4000",
	} {
		s, err := shapes.Parse(ref)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Printf("%s: %d encoder and %d decoder layers of width %d\n", s.Name, s.Encoder.Layers,
			s.Decoder.Layers, s.DModel)
	}
	// Output:
	// t5-efficient-small-nl16: 16 encoder and 16 decoder layers of width 512
	// t5-efficient-xl/nl=32: 32 encoder and 32 decoder layers of width 1024
	// t5-efficient-tiny-el8: 8 encoder and 12 decoder layers of width 256
	// t5-efficient-tiny/el=8: 8 encoder and 4 decoder layers of width 256
	// ambiguous shape: "small-ff4000": the model cards write 1000 for 1024; write t5-efficient-small/ff=4096 or t5-efficient-small/ff=4000
}
