package shapes

// Family names the recipe a shape follows. It labels tables and picks default workloads; counts
// never depend on it.
type Family string

// The families of the catalogue.
const (
	T5          Family = "t5"     // T5 v1.0 and T5-Efficient: ReLU, tied head
	T511        Family = "t5.1.1" // T5 v1.1, mT5, ByT5, UL2: GEGLU, untied head
	Switch      Family = "switch"
	BART        Family = "bart"        // BART, Pegasus
	Translation Family = "translation" // Transformer base and big, Marian
	Whisper     Family = "whisper"
	BERT        Family = "bert"
	GPT         Family = "gpt"   // GPT-2, GPT-NeoX, Pythia, BLOOM
	Llama       Family = "llama" // Llama, Mistral, Qwen2, Gemma, Gemstones
	ViT         Family = "vit"
)

// The names of each kind, in the order of its constants. They are what config files say and tables
// print.
var (
	normNames       = []string{"rmsnorm", "layernorm", "layernorm-nobias", "fixed"}
	headNames       = []string{"tied", "untied", "mlm", "none"}
	activationNames = []string{"relu", "gelu", "silu"}
	positionNames   = []string{
		"relative",
		"learned",
		"rotary",
		"sinusoidal",
		"alibi",
		"none",
		"relative-layers",
		"disentangled",
	}
	frontendNames = []string{"tokens", "audio", "patches", "convolutions"}
	qkNormNames   = []string{"none", "head", "full"}
	placeNames    = []string{
		"encoder-input",
		"decoder-input",
		"encoder-output",
		"decoder-output",
		"pooled",
	}
)

// Norm is a kind of normalisation layer.
type Norm uint8

const (
	RMSNorm         Norm = iota // one scale per feature: d parameters (T5, Llama)
	LayerNorm                   // scale and shift: 2d parameters
	LayerNormNoBias             // scale alone: d parameters (MPT, Cohere)
	FixedNorm                   // neither: no parameters (the first OLMo)
)

// Vectors returns how many vectors of its width a norm has.
func (n Norm) Vectors() int {
	switch n {
	case LayerNorm:
		return 2
	case FixedNorm:
		return 0
	default:
		return 1
	}
}

// QKNorm says which norm queries and keys have.
type QKNorm uint8

const (
	NoQKNorm   QKNorm = iota
	QKNormHead        // one of d_kv for all query heads and one for all key heads (Qwen3)
	QKNormFull        // over all heads together: i for queries and k for keys (OLMo 2)
)

// Place is where a [Dense] layer runs.
type Place uint8

const (
	EncoderInput  Place = iota // on every position, before the encoder's layers
	DecoderInput               // before the decoder's
	EncoderOutput              // on every position of the encoder's output
	DecoderOutput              // of the decoder's
	Pooled                     // once per sequence
)

// Activation is the non-linearity of a feed-forward network.
type Activation uint8

const (
	ReLU Activation = iota // T5 v1.0
	GELU                   // T5 v1.1 (gated), BERT, GPT-2
	SiLU                   // Llama (gated)
)

// Head says how the last hidden state becomes logits.
type Head uint8

const (
	HeadTied   Head = iota // the transposed token embedding (T5 v1.0, GPT-2)
	HeadUntied             // its own V×d matrix (T5 v1.1, Llama)
	HeadMLM                // BERT: dense d×d, norm, then the tied embedding
	HeadNone               // the model ends in hidden states
)

// Position says how a stack knows about positions.
type Position uint8

const (
	Relative   Position = iota // T5: one table of Positions buckets × Heads per stack
	Learned                    // a table of Positions × d_model
	Rotary                     // no parameters
	Sinusoidal                 // fixed, not counted as parameters
	ALiBi                      // no parameters
	NoPosition
	RelativeLayers // a table of Positions × Heads in every layer (umT5, BEiT)
	// one table of Positions × d, which every layer projects to keys and queries and multiplies
	// with queries and keys (He et al. 2020, DeBERTa, arXiv 2006.03654, section 3.1)
	Disentangled
)

// Table reports whether the kind has a table of Positions rows.
func (p Position) Table() bool {
	return p == Relative || p == Learned || p == RelativeLayers || p == Disentangled
}

// Bias is the set of projections that carry a bias vector.
type Bias uint8

const (
	BiasQ Bias = 1 << iota
	BiasK
	BiasV
	BiasO
	BiasFFN

	NoBias    Bias = 0
	BiasQKV        = BiasQ | BiasK | BiasV // Qwen2
	BiasAll        = BiasQKV | BiasO | BiasFFN
	BiasNoKey      = BiasAll &^ BiasK // Whisper
)

// Has reports whether every projection of want carries a bias.
func (b Bias) Has(want Bias) bool { return b&want == want }

// Frontend turns something other than tokens into a stack's input. The zero value is the token
// embedding.
type Frontend struct {
	Kind     FrontendKind
	Channels int // mel bins or colour channels
	Patch    int // side of a square patch (Patches only)

	NoBias  bool           // the patch convolution has no bias (CLIP)
	NoClass bool           // there is no class token (SigLIP)
	Convs   [MaxConvs]Conv // of Convolutions, used from the front
}

// MaxConvs is how many convolutions a front end has: wav2vec 2.0 has seven, a projection and the
// convolution of positions.
const MaxConvs = 9

// Conv is one convolution of a front end.
type Conv struct {
	In   int32 // input channels of one output channel, its group's alone; 0 where not used
	Out  int32 // output channels
	Taps int32 // positions of the kernel
	Rate int32 // outputs per position of the stack: the product of the later strides
	// parameters that enter no product: its norm, a weight's magnitude
	Extra int32
	Bias  bool
}

// Convolutions returns the convolutions of a front end that feeds a stack of width d, and the
// parameters beside them: Whisper's two of width 3 (Radford et al. 2022, arXiv 2212.04356, section
// 2.2), ViT's one of patch × patch and its class token (Dosovitskiy et al. 2020, arXiv 2010.11929,
// section 3.1), or those the front end lists.
func (f *Frontend) Convolutions(d int) (convs [MaxConvs]Conv, extra int) {
	const width = 3 // of Whisper's kernels
	switch f.Kind {
	case Audio:
		convs[0] = Conv{In: int32(f.Channels), Out: int32(d), Taps: width, Rate: 2, Bias: true}
		convs[1] = Conv{In: int32(d), Out: int32(d), Taps: width, Rate: 1, Bias: true}
	case Patches:
		convs[0] = Conv{
			In: int32(f.Channels), Out: int32(d), Taps: int32(f.Patch * f.Patch), Rate: 1,
			Bias: !f.NoBias,
		}
		if !f.NoClass {
			extra = d
		}
	case Convolved:
		convs = f.Convs
	}
	return convs, extra
}

// FrontendKind is a kind of [Frontend].
type FrontendKind uint8

const (
	Tokens FrontendKind = iota // token embedding shared by the stacks
	// Whisper: two width-3 convolutions, the second with stride 2, both with bias
	Audio
	Patches   // ViT: one Patch×Patch convolution with bias and a class token
	Convolved // the list Convs
)
