package config

import "github.com/deepnarrow/deepnarrow/shapes"

// activations are the names configurations give to what [shapes.Shape] tells apart.
var activations = map[string]shapes.Activation{
	"relu": shapes.ReLU, "relu2": shapes.ReLU, "relu_squared": shapes.ReLU, "squared_relu": shapes.ReLU,
	"gelu": shapes.GELU, "gelu_new": shapes.GELU, "gelu_fast": shapes.GELU, "gelu_10": shapes.GELU,
	"gelu_python": shapes.GELU, "gelu_pytorch_tanh": shapes.GELU, "quick_gelu": shapes.GELU,
	"gelu_accurate": shapes.GELU, "gelu_tanh": shapes.GELU, "geglu": shapes.GELU,
	"silu": shapes.SiLU, "swish": shapes.SiLU, "swiglu": shapes.SiLU,
}
