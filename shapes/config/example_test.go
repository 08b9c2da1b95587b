package config_test

import (
	"fmt"
	"strings"

	"github.com/deepnarrow/deepnarrow/shapes/config"
)

func ExampleRead() {
	file := `extends: t5-base
name: deep-narrow
d_model: 512
encoder:
  layers: 24
  heads: 8
`
	r, err := config.Read("shape.yaml", strings.NewReader(file), config.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Shape.Name, r.Shape.Encoder.Layers, r.Shape.Decoder.Layers, r.Shape.DModel)
	fmt.Println("set at", r.Fields["encoder.layers"].Position)
	// Output:
	// deep-narrow 24 12 512
	// set at shape.yaml:5:3
}

func ExampleRead_faults() {
	file := `{
  "model_type": "t5",
  "d_model": "512",
  "num_layers": 6.5
}`
	_, err := config.Read("config.json", strings.NewReader(file), config.Options{})
	fmt.Println(err)
	// Output:
	// config.json:3:14: d_model is not a number: "512"; allowed: a whole number of at least 0, in plain decimal digits
	// config.json:4:17: num_layers is not a whole number: 6.5; allowed: a whole number of at least 0, in plain decimal digits
}
