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
	normNames       = []string{"rmsnorm", "layernorm"}
	headNames       = []string{"tied", "untied", "mlm", "none"}
	activationNames = []string{"relu", "gelu", "silu"}
	positionNames   = []string{"relative", "learned", "rotary", "sinusoidal", "alibi", "none"}
	frontendNames   = []string{"tokens", "audio", "patches"}
)

// Norm is a kind of normalisation layer.
type Norm uint8

const (
	RMSNorm   Norm = iota // one scale per feature: d parameters (T5, Llama)
	LayerNorm             // scale and shift: 2d parameters
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
)

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
}

// FrontendKind is a kind of [Frontend].
type FrontendKind uint8

const (
	Tokens FrontendKind = iota // token embedding shared by the stacks
	// Whisper: two width-3 convolutions, the second with stride 2, both with bias
	Audio
	Patches // ViT: one Patch×Patch convolution with bias and a class token
)
