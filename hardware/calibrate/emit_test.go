package calibrate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deepnarrow/deepnarrow/flops"
	"github.com/deepnarrow/deepnarrow/hardware/kernel"
	"github.com/deepnarrow/deepnarrow/internal/approx"
	"github.com/deepnarrow/deepnarrow/shapes"
)

// python returns an interpreter that has PyTorch, or skips the test.
func python(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		path, err := exec.LookPath(name)
		if err == nil && exec.Command(path, "-c", "import torch").Run() == nil {
			return path
		}
	}
	t.Skip(
		"no Python with PyTorch here (Debian: python3-torch): the twin is not compared with the kernel")
	return ""
}

func parse(t *testing.T, ref string) shapes.Shape {
	t.Helper()
	s, err := shapes.Parse(ref)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// script writes the twin of points into a folder.
func script(t *testing.T, folder string, points []Point) string {
	t.Helper()
	var text bytes.Buffer
	if err := EmitPyTorch(&text, points); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(folder, "twin.py")
	if err := os.WriteFile(name, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// The twin computes what the kernel computes: loss and gradient norm of one batch with the kernel's
// weights, in float32.
func TestTwinAgreesWithTheKernel(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: runs PyTorch")
	}
	const tolerance = 2e-5 // relative: float32 sums of some hundred thousand terms in another order
	interpreter := python(t)
	for _, ref := range []string{
		"t5-tiny/el=2,dl=3,vocab=384",                   // ReLU, tied
		"t5-v1_1-small/el=3,dl=1,vocab=384,dm=128,nh=2", // gated, untied
	} {
		t.Run(ref, func(t *testing.T) {
			folder := t.TempDir()
			s := parse(t, ref)
			// longer than the last bucket starts
			o := kernel.Options{
				Batch: 3, EncoderLength: 150, DecoderLength: 40, Threads: 2,
				Seed: 7,
			}
			m, err := kernel.New(&s, o)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			weights := filepath.Join(folder, "weights.safetensors")
			file, err := os.Create(weights)
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(m.Save(file, nil), file.Close()); err != nil {
				t.Fatal(err)
			}
			b := m.NewBatch()
			kernel.RandomTokens{Vocab: s.Vocab, Seed: 3}.Fill(1, &b)
			want, err := m.Step(&b, 1e-4)
			if err != nil {
				t.Fatal(err)
			}
			rows := func(ids []int32, length int) [][]int32 {
				var out [][]int32
				for ; len(ids) > 0; ids = ids[length:] {
					out = append(out, ids[:length])
				}
				return out
			}
			description, err := json.Marshal(map[string]any{
				"shape": twinShapeOf(&s), "weights": weights,
				"inputs":  rows(b.Inputs, o.EncoderLength),
				"targets": rows(b.Targets, o.DecoderLength),
			})
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Join(folder, "case.json")
			if err := os.WriteFile(name, description, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(interpreter, script(t, folder, nil), "--check", name).Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, stderr(err))
			}
			var got struct {
				Loss         float64 `json:"loss"`
				GradientNorm float64 `json:"gradient_norm"`
			}
			if err := json.Unmarshal(out, &got); err != nil {
				t.Fatal(err)
			}
			t.Logf("loss %.7g and %.7g, gradient norm %.7g and %.7g", got.Loss, want.NLL,
				got.GradientNorm, want.GradientNorm)
			if !approx.Relative(got.Loss, want.NLL, tolerance) ||
				!approx.Relative(got.GradientNorm, want.GradientNorm, tolerance) {
				t.Errorf("the twin's loss %v and gradient norm %v, the kernel's %v and %v",
					got.Loss, got.GradientNorm, want.NLL, want.GradientNorm)
			}
		})
	}
}

// A session of the twin keeps each record as it is measured, goes on where it was stopped, and is
// read as steps.
func TestSessionGoesOn(t *testing.T) {
	if testing.Short() {
		t.Skip("starts PyTorch several times")
	}
	interpreter := python(t)
	folder := t.TempDir()
	w := flops.Workload{Batch: 2, EncoderLength: 16, DecoderLength: 8}
	twin := script(t, folder, []Point{
		{parse(t, "t5-tiny/el=1,dl=2,vocab=384"), w}, {parse(t, "t5-tiny/el=2,dl=1,vocab=384"), w},
	})
	records := filepath.Join(folder, "session.jsonl")
	call := func(points string) string {
		out, err := exec.Command(interpreter, filepath.Join("twin", "session.py"), twin, "-o", records,
			"--batch", "2", "--points", points, "--products", "2", "--answers", "2", "--tokens", "3",
			"--warmup", "0", "--steps", "3").CombinedOutput()
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		text, err := os.ReadFile(records)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	first := call("1")
	both := call("2")
	if !strings.HasPrefix(both, first) || strings.Count(first, "\n") != 5 ||
		strings.Count(both, "\n") != 6 {
		t.Errorf("first\n%sthen\n%s", first, both)
	}
	if again := call("2"); again != both {
		t.Errorf("a third call adds to a session that is complete:\n%s", again)
	}
	steps, err := ReadSteps(records, strings.NewReader(both), base(t), shapes.Parse)
	if err != nil || len(steps) != 2 || steps[1].Run.Workload.Batch != 2 {
		t.Errorf("%d steps, %v", len(steps), err)
	}
}

// Generation with kept keys and values chooses the tokens that the whole decoder does.
func TestGenerationOfTheTwin(t *testing.T) {
	if testing.Short() {
		t.Skip("starts PyTorch")
	}
	interpreter := python(t)
	w := flops.Workload{Batch: 2, EncoderLength: 16, DecoderLength: 8}
	twin := script(t, t.TempDir(), []Point{{parse(t, "t5-tiny/el=2,dl=3,vocab=384"), w}})
	const program = `
import sys, torch
sys.path.insert(0, "twin")
import session
twin = session.load(sys.argv[1])
torch.manual_seed(1)
model = twin.T5(twin.POINTS[0]["shape"], False).eval()
inputs = torch.randint(384, (2, 16))
tokens = session.generate(twin, model, inputs, 40)
with torch.no_grad():
    x = model.decoder(model.shared(torch.nn.functional.pad(tokens[:, :-1], (1, 0))), model.encoder(model.shared(inputs)))
    logits = torch.nn.functional.linear(x, model.shared.weight) if model.lm_head is None else model.lm_head(x)
assert tokens.shape == (2, 40) and torch.equal(tokens, logits.argmax(-1)), (tokens, logits.argmax(-1))
`
	if out, err := exec.Command(interpreter, "-c", program, twin).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// What the twin prints is what the import reads and the fit takes, alone and as two processes of a
// cluster.
func TestTwinPrintsWhatTheImportReads(t *testing.T) {
	if testing.Short() {
		t.Skip("starts PyTorch several times")
	}
	interpreter := python(t)
	folder := t.TempDir()
	w := flops.Workload{Batch: 2, EncoderLength: 16, DecoderLength: 8}
	twin := script(t, folder, []Point{{parse(t, "t5-tiny/el=1,dl=2,vocab=384"), w}})
	few := []string{twin, "--steps", "3", "--warmup", "1"}
	for name, args := range map[string][]string{
		"float32": append(few, "--precision", "fp32"),
		"mixed":   append(few, "--batch", "1,4"),
		"ddp":     append(few, "--precision", "fp32", "--parallel", "ddp"),
	} {
		t.Run(name, func(t *testing.T) {
			processes := 1
			if name == "ddp" {
				processes = 2
			}
			out := together(t, processes, interpreter, args...)
			steps, err := ReadSteps("steps.jsonl", bytes.NewReader(out), base(t), shapes.Parse)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			want := map[string]int{"float32": 1, "mixed": 2, "ddp": 1}[name]
			if len(steps) != want || steps[0].Run.Workload.EncoderLength != 16 ||
				steps[0].Run.Execution.Attention != flops.UnfusedAttention {
				t.Errorf("%d steps: %+v", len(steps), steps)
			}
			if name == "ddp" && (steps[0].Run.Layout.DP != 2 || steps[0].Run.Workload.Batch != 4) {
				t.Errorf("two processes: %+v", steps[0].Run)
			}
			if _, err := Fit(steps, "the twin"); err != nil {
				t.Errorf("the fit takes no such steps: %v", err)
			}
		})
	}
}

// What cannot be met here is refused at once and says what it needs, before PyTorch fails in its
// own words.
func TestTwinRefusesWhatItCannotDo(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: runs PyTorch")
	}
	interpreter := python(t)
	twin := script(t, t.TempDir(), []Point{{
		parse(t, "t5-tiny/el=1,dl=2,vocab=384"),
		flops.Workload{Batch: 2, EncoderLength: 16, DecoderLength: 8},
	}})
	// PyTorch 1.13 and no CUDA, wherever this runs; one process for all cases, since PyTorch is
	// slow to start.
	const program = `
import contextlib, io, os, runpy, sys
import torch

torch.__version__ = "1.13.0a0"
torch.cuda.is_available = lambda: False
twin = sys.argv[1]
for case in sys.argv[2:]:
    os.environ["WORLD_SIZE"], *options = case.split()
    sys.argv = [twin, *options]
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.suppress(SystemExit):
        runpy.run_path(twin, run_name="__main__")
    print(said.getvalue().strip().splitlines()[-1])
`
	cases := []struct{ processesAndOptions, want string }{
		{"1 --compile", "--compile needs PyTorch 2; this is 1.13.0a0"},
		{"1 --attention fused", "--attention fused needs PyTorch 2.1; this is 1.13.0a0"},
		{"1 --fused-optimizer", "--fused-optimizer needs CUDA devices"},
		{"1 --batch auto", "--batch auto needs CUDA devices"},
		{"2 --parallel fsdp", "--parallel fsdp needs CUDA devices"},
		{"1 --parallel ddp", "torchrun --nproc_per_node 8"},
		{"2 --precision fp32", "--parallel ddp or --parallel fsdp"},
		{"1 --batch 8,0", "a number of at least 1 is wanted, not '0'"},
		{"1 --steps 2", "a number of at least 3 is wanted, not '2'"},
		{"1 --only t5-huge", "no point's name holds 't5-huge'"},
	}
	args := []string{"-c", program, twin}
	for _, c := range cases {
		args = append(args, c.processesAndOptions)
	}
	out, err := exec.Command(interpreter, args...).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr(err))
	}
	lines := strings.Split(string(out), "\n")
	for i, c := range cases {
		if !strings.Contains(lines[i], c.want) {
			t.Errorf("%s: %s; want %q", c.processesAndOptions, lines[i], c.want)
		}
	}
}

// newerPyTorch stands in for what Debian's PyTorch lacks: it compiles nothing, and counts how it is
// asked to.
const newerPyTorch = `
import json, runpy, sys, types
import torch

asked = {"resets": 0, "compiled": 0}

def reset():
    asked["resets"] += 1

def compile(model):
    asked["compiled"] += 1
    return model

torch.__version__ = "2.0.0"
torch._dynamo = types.SimpleNamespace(reset=reset)
torch.compile = compile
`

// Compiled points are compiled afresh, each without the graphs of those before it, and their
// records say so.
func TestTwinCompilesEachPoint(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: runs PyTorch")
	}
	interpreter := python(t)
	twin := script(t, t.TempDir(), []Point{{
		parse(t, "t5-tiny/el=1,dl=1,vocab=384"),
		flops.Workload{Batch: 2, EncoderLength: 16, DecoderLength: 8},
	}})
	program := newerPyTorch + `
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
print(json.dumps(asked), file=sys.stderr)
`
	var faults bytes.Buffer
	command := exec.Command(interpreter, "-c", program, twin, "--compile", "--batch", "1,2",
		"--steps", "3", "--warmup", "0", "--precision", "fp32")
	command.Stderr = &faults
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, faults.String())
	}
	steps, err := ReadSteps("steps.jsonl", bytes.NewReader(out), base(t), shapes.Parse)
	if err != nil || len(steps) != 2 {
		t.Fatalf("%d steps, %v\n%s", len(steps), err, out)
	}
	for _, s := range steps {
		if s.Run.Software.Compiled == nil || !*s.Run.Software.Compiled {
			t.Errorf("the record of a compiled step says %v", s.Run.Software.Compiled)
		}
	}
	if got := strings.TrimSpace(faults.String()); got != `{"resets": 2, "compiled": 2}` {
		t.Errorf("two points: %s", got)
	}
}

// Fully sharded data parallelism gets a unit a block, its device and its precisions, and keeps the
// parameters whole for a compiler. FSDP stands in here: the real one runs on CUDA devices only.
func TestTwinShardsBlocks(t *testing.T) {
	if testing.Short() {
		t.Skip("slow: runs PyTorch")
	}
	interpreter := python(t)
	twin := script(t, t.TempDir(), []Point{{
		parse(t, "t5-tiny/el=2,dl=1,vocab=384"),
		flops.Workload{Batch: 2, EncoderLength: 16, DecoderLength: 8},
	}})
	const program = `
import functools, json, runpy, sys, types
import torch

given = {}

def shard(model, auto_wrap_policy, device_id, mixed_precision=None, use_orig_params=False):
    units = [m for m in model.modules() if auto_wrap_policy(module=m, recurse=False, unwrapped_params=0)]
    given.update(units=len(units), device=device_id, whole=use_orig_params, weights=str(mixed_precision and mixed_precision.param_dtype))
    return model

def policy(module, recurse, unwrapped_params, transformer_layer_cls):
    return recurse or isinstance(module, tuple(transformer_layer_cls))

fsdp = types.ModuleType("torch.distributed.fsdp")
fsdp.FullyShardedDataParallel, fsdp.MixedPrecision = shard, types.SimpleNamespace
wrap = types.ModuleType("torch.distributed.fsdp.wrap")
wrap.transformer_auto_wrap_policy = policy
sys.modules.update({"torch.distributed.fsdp": fsdp, "torch.distributed.fsdp.wrap": wrap})

twin = runpy.run_path(sys.argv[1])
cluster = types.SimpleNamespace(cuda=True, device=torch.device("cuda", 3))
for compile, precision in (False, "bf16-mixed"), (True, "fp32"):
    options = types.SimpleNamespace(parallel="fsdp", compile=compile, precision=precision)
    twin["parallel"](twin["T5"](twin["POINTS"][0]["shape"], False), options, cluster)
    print(json.dumps(given, sort_keys=True))
`
	out, err := exec.Command(interpreter, "-c", program, twin).Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr(err))
	}
	const want = `{"device": 3, "units": 3, "weights": "torch.bfloat16", "whole": false}
{"device": 3, "units": 3, "weights": "None", "whole": true}
`
	if string(out) != want {
		t.Errorf("%s; want %s", out, want)
	}
}

// together runs a command once for each rank, as torchrun does (Debian's own does not run under its
// Python), and returns what they print.
func together(t *testing.T, processes int, name string, args ...string) []byte {
	t.Helper()
	port, err := net.Listen("tcp", "127.0.0.1:0") // a port that is free
	if err != nil {
		t.Skipf("no local network: %v", err)
	}
	_, number, err := net.SplitHostPort(port.Addr().String())
	if err := errors.Join(err, port.Close()); err != nil {
		t.Fatal(err)
	}
	var running []*exec.Cmd
	outs := make([]bytes.Buffer, processes)
	faults := make([]bytes.Buffer, processes)
	for rank := range processes {
		c := exec.Command(name, args...)
		c.Env = append(os.Environ(), fmt.Sprint("WORLD_SIZE=", processes),
			fmt.Sprint("RANK=", rank), fmt.Sprint("LOCAL_RANK=", rank), "MASTER_ADDR=127.0.0.1",
			"MASTER_PORT="+number)
		c.Stdout, c.Stderr = &outs[rank], &faults[rank]
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		running = append(running, c)
	}
	var all []byte
	for rank, c := range running {
		if err := c.Wait(); err != nil {
			t.Errorf("rank %d: %v\n%s", rank, err, faults[rank].String())
		}
		all = append(all, outs[rank].Bytes()...)
	}
	return all
}

func stderr(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return string(exit.Stderr)
	}
	return ""
}

// A shape that the kernel cannot train has no twin.
func TestTwinRefusesOtherFamilies(t *testing.T) {
	var unsupported *kernel.UnsupportedError
	err := EmitPyTorch(&bytes.Buffer{}, []Point{{Shape: parse(t, "gpt2")}})
	if !errors.As(err, &unsupported) {
		t.Errorf("gpt2: %v", err)
	}
}

// The twin's design is what its comment says.
func TestTwinDesign(t *testing.T) {
	points := TwinDesign()
	seen := map[string]bool{}
	for _, p := range points {
		seen[p.Shape.Name] = true
	}
	const asked = 30 // shapes and batches that the calibration of an accelerator wants at least
	if len(points) < asked || len(seen) < asked/2 {
		t.Errorf("%d points of %d shapes", len(points), len(seen))
	}
	var text bytes.Buffer
	if err := EmitPyTorch(&text, points); err != nil {
		t.Fatal(err)
	}
	if strings.Count(text.String(), `"name"`) < len(points) || strings.Contains(text.String(), "{{") {
		t.Error("the script does not hold its points")
	}
}
