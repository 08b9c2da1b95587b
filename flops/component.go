package flops

import "github.com/deepnarrow/deepnarrow/shapes"

// Component is a part of the model that parameters and operations belong to.
type Component uint8

const (
	Embedding             Component = iota // token and token-type tables, embedding norm
	Positions                              // learned tables and relative-bias tables
	FrontendInput                          // convolutions that replace the token embedding
	EncoderAttention                       // projections and core of encoder self-attention
	EncoderFFN                             // feed-forward, router and experts
	EncoderNorm                            // norms and residual adds
	DecoderAttention                       // decoder self-attention
	DecoderCrossAttention                  // attention from decoder to encoder
	DecoderFFN
	DecoderNorm
	PoolerLayer // BERT's pooler
	LogitHead   // untied matrix, masked-language-model head, logits
	components  // how many there are
)

var componentNames = []string{
	"embedding", "positions", "frontend",
	"encoder_attention", "encoder_ffn", "encoder_norm",
	"decoder_attention", "decoder_cross_attention", "decoder_ffn", "decoder_norm",
	"pooler", "head",
}

// String returns the name used in tables and JSON, e.g. "decoder_ffn".
func (c Component) String() string {
	return shapes.WordOf(componentNames, c)
}

// stackComponents names the components of the layers of one stack.
type stackComponents struct{ attention, ffn, norm Component }

var (
	encoderComponents = stackComponents{EncoderAttention, EncoderFFN, EncoderNorm}
	decoderComponents = stackComponents{DecoderAttention, DecoderFFN, DecoderNorm}
)
