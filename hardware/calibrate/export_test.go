package calibrate

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/shapes/config"
)

// countConfigs makes the twin's model from each config.json it is given and prints its parameters.
const countConfigs = `
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("twin", sys.argv[1])
twin = importlib.util.module_from_spec(spec)
spec.loader.exec_module(twin)
for path in sys.argv[2:]:
    with open(path) as file:
        c = json.load(file)
    def stack(layers):
        return {"layers": layers, "heads": c["num_heads"], "d_kv": c["d_kv"], "d_ff": c["d_ff"],
            "gated": c["feed_forward_proj"].startswith("gated-"), "buckets": c["relative_attention_num_buckets"]}
    model = twin.T5({"d_model": c["d_model"], "vocab": c["vocab_size"], "tied": c["tie_word_embeddings"],
        "encoder": stack(c["num_layers"]), "decoder": stack(c["num_decoder_layers"])}, False)
    print(sum(p.numel() for p in model.parameters()))
`

// PyTorch's T5 of an exported config.json has the parameters that the shape counts.
func TestTwinOfExportedConfigurations(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: runs PyTorch")
	}
	interpreter, folder := python(t), t.TempDir()
	refs := []string{ // small ones: PyTorch draws the weights
		"t5-tiny/vocab=384", "t5-v1_1-small/nl=2,dm=128,vocab=384", "t5-small/nl=3,dm=64,kv=32,nh=5,ff=640,vocab=96",
		"t5-v1_1-small/el=9,dl=2,dm=64,vocab=512",
	}
	args := []string{"-c", countConfigs, script(t, folder, nil)}
	var want []string
	for i, ref := range refs {
		s := parse(t, ref)
		exported, err := config.Export(&s, "hf")
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(folder, fmt.Sprintf("config%d.json", i))
		if err := os.WriteFile(name, []byte(exported.Text), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, name)
		want = append(want, fmt.Sprint(flops.CountParameters(&s).Total))
	}
	out, err := exec.Command(interpreter, args...).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr(err))
	}
	for i, got := range strings.Fields(string(out)) {
		if got != want[i] {
			t.Errorf("%s: PyTorch has %s parameters, the shape %s", refs[i], got, want[i])
		}
	}
}
