//go:build unix

package main

import "testing"

// attackPrelude is what the scripts of these attacks share: $text a text to train on,
// and refuses CODE PATTERN COMMAND... fails unless the command exits with the code and says so.
const attackPrelude = `set -euo pipefail
shape=t5-tiny/nl=1,dm=64,ff=64,kv=16,nh=2,vocab=384
small="--batch 2 --encoder-length 32 --decoder-length 16 --threads 1"
train="train $shape --text text $small"
sweep="sweep --shapes $shape --tokens 200,400 --text text $small"
for n in {1..60}; do echo "The miller of line $n rose before the sun."; done >text
refuses() {
  local code=$1 pattern=$2 got=0; shift 2
  "$@" >out 2>err || got=$?
  [ $got = $code ] || { echo "exit $got, want $code: $*"; cat err; return 1; }
  grep -Eq "$pattern" err || { echo "no $pattern from $*"; cat err; return 1; }
}
# with COMMAND FLAG VALUE gives a flag another value.
with() { echo "$(sed -E "s# $2 [^ ]+##" <<<"$1") $2 $3"; }
none_hidden() { [ -z "$(find . -name '.*deepnarrow' -o -name '.record*')" ]; }
mode() { stat -c %a "$1" 2>/dev/null || stat -f %Lp "$1"; }
`

// written are attacks on files that commands write.
var written = []attack{
	{name: "-o /dev/stdout goes where it stands and stays a link", script: `
{ echo before; dn count t5-base -o /dev/stdout; echo after; } >log
[ "$(head -n 1 log)" = before ] && [ "$(tail -n 1 log)" = after ] && grep -q 222,903,552 log
[ ! -e /dev/stdout ] || [ -L /dev/stdout ] || [ -c /dev/stdout ]`},
	{name: "-o /dev/stdout into a pipe", script: `dn count t5-base -o /dev/stdout --format json | grep -q '"total": 222903552'`},
	{name: "-o to a link to a descriptor", script: `
ln -s /dev/stderr link; dn count t5-base --format table -o link 2>err >out
[ -L link ] && grep -q 222,903,552 err && [ ! -s out ]`},
	{name: "-o /dev/fd/3", script: `dn count t5-base -o /dev/fd/3 3>file; grep -q 222,903,552 file`},
	{name: "-o to a descriptor that is not open", script: `refuses 3 'fd/9: cannot be written' dn count t5-base -o /dev/fd/9`},
	{name: "a full device: the result is not lost", script: `
[ -e /dev/full ] || exit 0
ln -s /dev/full link; refuses 3 'no space left' dn count t5-base --format table -o link
[ -L link ] && grep -q 222,903,552 out`},
	{name: "-o to a pipe", script: `
mkfifo pipe; cat pipe >got & dn count t5-base --format table -o pipe; wait; [ -p pipe ] && grep -q 222,903,552 got`},
	{name: "-o to a link to a file elsewhere", script: `
mkdir far; echo old >far/x.json; chmod 640 far/x.json; ln -s far/x.json near.json
dn count t5-base -o near.json
[ -L near.json ] && grep -q count/v1 far/x.json && [ "$(mode far/x.json)" = 640 ]`},
	{name: "-o to a link to nothing", script: `
mkdir far; ln -s far/x.json near.json; dn count t5-base -o near.json; [ -L near.json ] && grep -q count/v1 far/x.json`},
	{name: "-o to a link to itself", script: `ln -s a.json a.json; refuses 3 'cannot be written' dn count t5-base -o a.json`},
	{name: "umask and modes", script: `
for mask in 077 027 002; do (umask $mask; dn count t5-base -o $mask.json); done
[ "$(mode 077.json)$(mode 027.json)$(mode 002.json)" = 600640664 ]
echo old >private.json; chmod 600 private.json; dn count t5-base -o private.json; [ "$(mode private.json)" = 600 ]
umask 027; dn $sweep --out runs 2>/dev/null >out; for f in runs/*; do [ "$(mode "$f")" = 640 ]; done
dn $train --steps 2 --checkpoint c --record r.jsonl >out 2>err; [ "$(mode c)$(mode r.jsonl)" = 640640 ]`},
	{name: "a read-only file", unprivileged: true, script: `
echo old >x.json; chmod 444 x.json; refuses 3 'permission denied' dn count t5-base -o x.json
[ "$(cat x.json)" = old ] && [ ! -s out ]`},
	{name: "a read-only folder", unprivileged: true, script: `
mkdir far; echo old >far/x.json; chmod 555 far; refuses 3 'permission denied' dn count t5-base -o far/x.json
refuses 3 'permission denied' dn $sweep --out far/runs
refuses 3 'permission denied' dn $train --steps 1000000 --checkpoint far/c --record far/r.jsonl
[ "$(cat far/x.json)" = old ] && [ "$(ls -A far)" = x.json ]; chmod 755 far`},
	{name: "every path is tried before the work", script: `
mkdir folder
refuses 3 'no/c: cannot be written' dn $train --steps 1000000000 --checkpoint no/c --record folder
grep -q 'folder: cannot be written: is a directory' err
refuses 3 'no/r: cannot be written' dn calibrate --max-time 10h --records no/r -o no/p.yaml
grep -q 'no/p.yaml: cannot be written' err
refuses 3 'text/runs: cannot be written' dn sweep --shapes $shape --tokens 1T --text text --out text/runs
refuses 3 'no/x.svg: cannot be written' dn recommend --like t5-base --plot no/x.svg
refuses 3 'no/x.sarif: cannot be written' dn check t5-base --emit sarif=no/x.sarif
refuses 3 'text: cannot be written' dn export t5-base --to hf --out text
refuses 3 'folder/: cannot be written' dn count t5-base -o folder/
[ -z "$(ls -A folder)" ]`},
	{name: "nothing is written over what is read, or twice", script: `
ln -s text soft; cp text keep; printf 'run,params,loss\na,1e6,3\n' >r.csv; echo 'extends: t5-small' >c.yaml; mkdir m
dn export t5-small --to hf --out m >out 2>err
for command in "train $shape --text text $small --steps 2 --checkpoint text" "train $shape --text text $small --steps 2 --checkpoint soft" \
  "train $shape --text text $small --steps 2 --record ./text" 'fit r.csv --format csv -o r.csv' 'count c.yaml --format json -o c.yaml' 'export m --to hf --out m'; do
  refuses 2 'is read by this command' dn $command
done
refuses 2 'written twice' dn $train --steps 2 --checkpoint c --record c; refuses 2 'is a file to judge' dn check 'c.ya*' --format json -o c.yaml
ln -s a.json b.json; refuses 2 'written twice' dn check c.yaml --emit json=a.json --emit sarif=b.json; dn check c.yaml --emit json=/dev/null -o /dev/null
cmp text keep && [ ! -e c ] && [ "$(cat c.yaml)" = 'extends: t5-small' ] && grep -q t5 m/config.json`},
	{name: "a folder of a study holds files", script: `
mkdir runs; mkfifo runs/x.jsonl; refuses 3 'named pipe' dn $sweep --out runs; refuses 3 'named pipe' dn sweep --merge runs; rm runs/x.jsonl
ln -s /dev/zero runs/x.jsonl; refuses 3 'leads out' dn sweep --merge runs; rm runs/x.jsonl; truncate -s 1G runs/x.jsonl; refuses 3 'x.jsonl' dn sweep --merge runs`},
	{name: "a full disk: old files stay, and the result is told", script: `
dn $train --steps 2 --checkpoint c --record r.jsonl >out 2>err
for f in c x.html p.png x.json f.json; do cp r.jsonl old.$f; done; cp c old.c; cp c keep
head -c 16000 /dev/zero | tr '\0' '\n' >r.jsonl; cat old.x.json >>r.jsonl; cp r.jsonl keep.jsonl
ulimit -f 16; [ "$(ulimit -f)" = 16 ]
refuses 3 'c: cannot be written: file too large' dn $train --steps 4 --resume --checkpoint old.c
grep -q t5-efficient-tiny out && cmp old.c keep
refuses 3 'hint: the record is .*"steps":3' dn $train --steps 3 --record r.jsonl
grep -q t5-efficient-tiny out && cmp r.jsonl keep.jsonl
refuses 3 'x.html: cannot be written: file too large' dn explore -o old.x.html
refuses 3 'p.png: cannot be written: file too large' dn recommend --like t5-base --plot old.p.png
grep -q t5- out
refuses 3 'the result is on standard output' dn recommend --like t5-base -o old.f.json
[ -z "$(for f in x.html p.png f.json; do cmp old.$f old.x.json; done)" ] && none_hidden`},
	{name: "a disk without a block is told before the work", script: `
echo old >x.json; ulimit -f 2; refuses 3 'too large' dn $train --steps 1000000000 --checkpoint x.json
[ "$(cat x.json)" = old ] && none_hidden`},
	{name: "a torn last line is mended", script: `
printf '{"a":1}\n{"torn":' >r.jsonl; dn $train --steps 2 --record r.jsonl >out 2>err
grep -q 'last line was torn' err && [ "$(grep -c . r.jsonl)" = 2 ] && tail -n 1 r.jsonl | grep -q '"steps":2'
printf '{"a":1}' >r.jsonl; dn $train --steps 2 --record r.jsonl >out 2>err; [ "$(grep -c . r.jsonl)" = 2 ]`},
	{name: "what a kill left is swept", script: `
touch .x.json.0123abcd.deepnarrow; dn count t5-base -o x.json; none_hidden`},
}

// mixed are attacks that pass runs of one study for those of another.
var mixed = []attack{
	{name: "a folder of another rate, warm-up, text, length, optimizer or kind of step", script: `
dn $sweep --out runs >out 2>err; cp -r runs keep
for change in '--rate 0.01:rate 0.001' '--warmup 3:warmup 100' '--batch 4:batch 2' '--recompute full:recompute none' \
  '--optimizer adafactor:optimizer adam' '--encoder-length 40:encoder_length 32' '--decoder-length 20:decoder_length 16'; do
  refuses 2 "was trained with ${change#*:}, not" dn $(with "$sweep --out runs" ${change%%:*})
done
mkdir other; tac text >other/text; refuses 2 'was trained with text' dn $(with "$sweep --out runs" --text other/text)
diff -r runs keep`},
	{name: "another seed is a run of its own", script: `
dn $sweep --out runs >out 2>err; dn $sweep --out runs --seed 1 >out 2>err; [ "$(ls runs | wc -l)" = 4 ]`},
	{name: "a folder from before there were recipes", script: `
dn $sweep --out runs >out 2>err; sed -i.bak 's/"kernel":1,//' runs/*.jsonl; rm -f runs/*.bak
refuses 2 'was trained with kernel unknown, not 1' dn $sweep --out runs`},
	{name: "a finished study is not trained again", script: `
dn $sweep --out runs >out 2>err; cp -r runs keep; dn $sweep --out runs >out 2>err; diff -r runs keep`},
	{name: "entries that are not there", script: `
for n in -1 -2 2 99; do refuses 2 "entry is $n; allowed: 0 to 1" dn $sweep --out runs --entry=$n; done
[ -z "$(ls runs)" ]`},
	{name: "a checkpoint of other choices", script: `
dn $train --steps 3 --checkpoint c >out 2>err; cp c keep
for change in '--rate 0.01:rate 0.001' '--warmup 3:warmup 100' '--batch 4:batch 2' '--recompute full:recompute none' \
  '--seed 5:seed 0' '--encoder-length 40:encoder_length 32'; do
  refuses 2 "was trained with ${change#*:}, not" dn $(with "$train --steps 6 --resume --checkpoint c" ${change%%:*})
done
mkdir other; tac text >other/text
refuses 2 'was trained with text' dn $(with "$train --steps 6 --resume --checkpoint c" --text other/text)
DEEPNARROW_ISA=generic refuses 2 'was trained with path|holds one study' dn $train --steps 6 --resume --checkpoint c || grep -q generic out
refuses 2 'allowed: 3 or more' dn $train --steps 2 --resume --checkpoint c
cmp c keep`},
	{name: "a checkpoint that is none", script: `
for bytes in 0 7 100; do head -c $bytes /dev/zero >c; refuses 3 'deepnarrow: .*c' dn $train --steps 2 --resume --checkpoint c || refuses 4 c dn $train --steps 2 --resume --checkpoint c; done`},
	{name: "a finished run has one record", script: `
for n in 1 2 3; do dn $train --steps 3 --resume --checkpoint c --record r.jsonl >out 2>err; done
[ "$(grep -c . r.jsonl)" = 1 ] && ! grep -q '"step_seconds":0[,}]' r.jsonl && ! grep -q '"train_loss":0[,}]' r.jsonl`},
	{name: "a run that lost its record gets it from the checkpoint", script: `
dn $train --steps 3 --resume --checkpoint c --record r.jsonl >out 2>err; sed 's/"date".*//' r.jsonl >keep; rm r.jsonl
dn $train --steps 3 --resume --checkpoint c --record r.jsonl >out 2>err; sed 's/"date".*//' r.jsonl | cmp - keep`},
	{name: "an interrupted run has no record", script: `
dn $train --steps 1000000000 --checkpoint c --record r.jsonl --every 1000 >out 2>err & sleep 1; kill -INT $!
wait $! && exit 1 || [ $? = 130 ]; [ ! -e r.jsonl ] && [ -s c ]`},
	{name: "a job array says all that was said", script: `
dn $(with "$sweep" --threads 3) --out runs --rate 0.01 --warmup 7 --optimizer adafactor --recompute full --seed 9 --emit slurm >array
for word in "--rate 0.01" "--warmup 7" "--optimizer adafactor" "--recompute full" "--seed 9" "--threads 3" "--batch 2"; do grep -qe "$word" array; done
big="sweep --shapes t5-base --tokens 1G --text text --out runs --batch 32"
memory() { dn $big --emit slurm "$@" | sed -n 's/.*--mem=\([0-9]*\)M/\1/p'; }
[ "$(memory --recompute full)" -lt "$(memory)" ] && [ "$(memory --optimizer adafactor)" -lt "$(memory)" ]
dn $sweep --out runs --image i --emit kubernetes | grep -A 2 volumes: | grep -q 'name: study'`},
	{name: "a job array without text or folder", script: `
for kind in slurm "kubernetes --image i"; do
  refuses 2 'needs --text and --out' dn sweep --shapes $shape --tokens 200 --text text --emit $kind
  refuses 2 'needs --text and --out' dn sweep --shapes $shape --tokens 200 --out runs --emit $kind
done
refuses 2 'image' dn $sweep --out runs --emit kubernetes`},
	{name: "two studies do not merge", script: `
dn $sweep --out a >out 2>err; dn $sweep --rate 0.01 --out b >out 2>err
refuses 3 'was trained with rate 0.01, not 0.001' dn sweep --merge a --merge b -o all.jsonl; [ ! -e all.jsonl ]`},
	{name: "absurd steps end with their line", script: `
for seconds in 1e30 1e9 40 1e-300 1e308; do
  printf 'shape,batch,dp,step_seconds\nt5-small,128,8,0.04\nt5-base,64,8,%s\n' $seconds >steps.csv
  refuses 3 'steps.csv:3: (a step of|step_seconds: too)' dn calibrate --from steps.csv --hardware a100 -o p.yaml; [ ! -e p.yaml ]
done`},
}

// TestWrittenAndMixed runs the attacks as the current user and, where that is root, as one without
// rights.
func TestWrittenAndMixed(t *testing.T) {
	if testing.Short() {
		t.Skip("trains and runs the program a few hundred times")
	}
	runAttacks(t, attackPrelude, append(written, mixed...))
}
