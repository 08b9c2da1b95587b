//go:build unix

package main

import "testing"

// hostilePrelude is what the scripts of these attacks share: they run in a repository beside which
// lie secrets. run CODE PATTERN ARGUMENTS... fails unless the program exits with the code and says
// the pattern; what it says is held to [harmful]. nasty are names that steer.
const hostilePrelude = `set -euo pipefail
t5='{"model_type":"t5","architectures":["T5ForConditionalGeneration"],"d_ff":2048,"d_kv":64,"d_model":512,"num_heads":8,"num_layers":6,"vocab_size":32128,"is_encoder_decoder":true}'
rule='rules: [{id: small, metric: params, max: 1B}]'
mkdir -p repo/.git repo/sub; echo 's3cret = s3cret' >secret.gin; cp secret.gin secret.yaml
echo '{"model_type":"s3cret","d_model":512}' >out.json; echo 'extends: s3cret' >out.yaml; echo "$t5" >good.json
cd repo; echo "$t5" >ok.json; ln -s .. link
n=0
run() {
  local code=$1 pattern=$2 got=0; shift 2; n=$((n + 1))
  dn "$@" >$n.out 2>$n.err.out || got=$?
  [ $got = $code ] && grep -Eq -- "$pattern" $n.out $n.err.out && return
  echo "exit $got, want $code and $pattern: $*"; head -c 2000 $n.out $n.err.out; return 1
}
nasty=($'\e]0;x\a' $'a\n::error::x' '##[error]x' 'a ##vso[task.x]' '=cmd' '[a](http://x.test)' '@team' $'\u2028::x' $'\u009b31m' $'\u200b::x\ufeff\u00ad')
`

const outside = "leads out of"

// contained are attacks on what lies outside the repository, and files that are no files.
var contained = []attack{
	{name: "a configuration is a link out", script: `
ln -s ../secret.gin operative_config.gin
! dn check operative_config.gin --format github >github 2>&1; grep -q '^::error file=operative_config.gin,' github && ! grep -q s3cret github
for format in table json sarif junit summary comment; do run 3 '` + outside + `' check operative_config.gin --format $format; done
run 3 '` + outside + `' check operative_config.gin ok.json --emit sarif=a.out --emit comment=b.out
run 3 '` + outside + `' check "$PWD/operative_config.gin"
(cd sub; ln -s ../../secret.gin x.gin; run 3 '` + outside + `' check x.gin; run 3 '` + outside + `' check ../operative_config.gin)`},
	{name: "a link out is followed where that is asked for", script: `
ln -s ../good.json config.json; run 3 'follow-links' check config.json; run 0 '1 file checked' check config.json --follow-links
run 0 60,506,624 count config.json; ln -s ok.json inside.json; run 0 '1 file checked' check inside.json`},
	{name: "a configuration over a link to a folder", script: `run 3 '` + outside + `' check link/out.json; run 3 '` + outside + `' check link/repo/ok.json`},
	{name: "a glob over a link to a folder", script: `
run 3 '` + outside + `' check 'link/*.json'; run 3 '` + outside + `' check 'link/repo/*.json'; run 0 '1 file checked' check '**/*.json'`},
	{name: "a link to an absolute path", script: `ln -s /etc/hostname config.json; run 3 '` + outside + `' check config.json`},
	{name: "rules that are a link out", script: `ln -s ../secret.yaml .deepnarrow.yaml; run 3 '` + outside + `' check ok.json; run 3 '` + outside + `' check ok.json --rules .deepnarrow.yaml`},
	{name: "files of rules outside", script: `
for glob in '../*.json' 'sub/../../*.json' '/etc/*.json' 'link/*.json' '../out.json' 'link/out.json'; do
  printf '%s\nfiles: "%s"\n' "$rule" "$glob" >.deepnarrow.yaml; run 3 'files is|` + outside + `' check
done`},
	{name: "a profile of rules outside", script: `
for file in ../out.yaml link/out.yaml "$PWD/../out.yaml" /etc/x.yaml; do
  printf '%s\nplan: {hardware: "%s"}\n' "$rule" "$file" >.deepnarrow.yaml; run 3 '` + outside + `' check ok.json
  printf '%s\nplan: {cluster: "8x%s"}\n' "$rule" "$file" >.deepnarrow.yaml; run 3 . check ok.json
done`},
	{name: "a table of rules outside", script: `
for file in ../out.yaml link/out.yaml; do printf '%s\nplan: {architectures: %s}\n' "$rule" $file >.deepnarrow.yaml; run 3 '` + outside + `' check ok.json; done`},
	{name: "a baseline outside is not read", script: `
cp ../out.json ../b.json; ln -s ../b.json b.json
for file in ../b.json link/b.json b.json; do printf '%s\nbaseline: %s\n' "$rule" $file >.deepnarrow.yaml; run 3 'baseline is|` + outside + `' check ok.json; done`},
	{name: "a baseline outside is not written", script: `
ln -s ../b.json b.json
for file in ../b.json link/b.json b.json; do
  printf '%s\nbaseline: %s\n' "$rule" $file >.deepnarrow.yaml; run 3 'baseline is|` + outside + `' check ok.json --update-baseline
done
[ ! -e ../b.json ] && echo old >../b.json; run 3 '` + outside + `' check ok.json --update-baseline; [ "$(cat ../b.json)" = old ]`},
	{name: "rules extend what is outside", script: `
for file in ../out.yaml link/out.yaml ./x.yaml; do
  ln -sf ../out.yaml x.yaml; echo "extends: $file" >.deepnarrow.yaml; run 3 'leaves the folder|` + outside + `' check ok.json
done`},
	{name: "a configuration extends what is outside", script: `
for file in ../out.yaml link/out.yaml ./x.yaml; do
  ln -sf ../out.yaml x.yaml; printf 'extends: %s\nd_model: 512\n' $file >a.yaml
  for command in check count 'plan --hardware a100' 'diff t5-base' 'export --to hf' 'recommend --like'; do run 3 'leaves the folder|` + outside + `' $command a.yaml; done
done`},
	{name: "within the repository a configuration extends what it likes", script: `
echo 'extends: t5-small' >base.yaml; echo 'extends: ../base.yaml' >sub/a.yaml
run 0 60,506,624 count sub/a.yaml; (cd sub; run 0 60,506,624 count a.yaml; run 0 '1 file' check a.yaml)`},
	{name: "gin includes what is outside", script: `
ln -s ../secret.gin x.gin
for file in ../secret.gin link/secret.gin x.gin /etc/passwd; do echo "include '$file'" >a.gin; run 3 'cannot be read|` + outside + `' count a.gin; run 3 'cannot be read' check a.gin; done`},
	{name: "what git keeps to itself, a token perhaps", script: `
printf '[http]\n\textraheader = s3cret: basic\n' >.git/config; mkdir .git/hooks; ln -s ../.git sub/g; n=0
for name in operative_config.gin config.json config.toml config.yaml run.sh; do ln -s .git/config $name; run 3 '` + outside + `' check $name; done
for name in .git/config .GIT/config sub/g/config; do
  run 3 . check $name; printf "include '%s'\n" $name >a.gin; run 3 '` + outside + `' check a.gin; printf 'extends: ./%s\n' $name >a.yaml; run 3 . check a.yaml; run 3 . count a.yaml
  printf '%s\nfiles: "%s"\n' "$rule" $name >.deepnarrow.yaml; run 3 . check; printf '%s\nplan: {architectures: %s}\n' "$rule" $name >.deepnarrow.yaml; run 3 '` + outside + `' check ok.json
  for file in $name "${name%config}hooks/b.json"; do printf '%s\nbaseline: %s\n' "$rule" $file >.deepnarrow.yaml; run 3 '` + outside + `' check ok.json --update-baseline; done
done; rm .deepnarrow.yaml; run 0 '1 file' check 'ok.j*'; grep -q s3cret .git/config && [ -z "$(ls .git/hooks)" ]`},
	{name: "tensors beside a configuration lead outside", script: `
mkdir m; echo "$t5" >m/config.json; ln -s ../../secret.gin m/model.safetensors; run 3 '` + outside + `' check m/config.json
rm m/model.safetensors; ln -s ../../out.json m/model.safetensors.index.json; run 3 '` + outside + `' check m/config.json --follow-links`},
	{name: "a configuration beside tensors leads outside", script: `
printf '\x02\0\0\0\0\0\0\0{}' >model.safetensors; ln -s ../out.json config.json; run 3 '` + outside + `' count model.safetensors; run 3 '` + outside + `' check model.safetensors`},
	{name: "an index names shards outside", script: `
ln -s ../secret.gin x.safetensors
for shard in ../secret.gin x.safetensors link/secret.gin; do
  echo '{"weight_map":{"a":"'$shard'"}}' >model.safetensors.index.json; run 3 'no file of this folder|index|` + outside + `' count model.safetensors.index.json
done`},
	{name: "a run file names shapes and profiles outside", script: `
for shape in ../out.json link/out.json; do printf 'hardware: a100\nphases: [{shape: %s, steps: 10}]\n' $shape >run.yaml; run 3 '` + outside + `' plan run.yaml; done
printf 'shape: t5-base\nphases: [{hardware: ../out.yaml, steps: 10}]\n' >run.yaml; run 3 '` + outside + `' plan run.yaml`},
	{name: "a list of candidates names shapes outside", script: `
for shape in ../out.json link/out.json; do echo $shape >list.txt; run 3 '` + outside + `' recommend --like t5-base --candidates list.txt; done`},
	{name: "measured steps name shapes outside", script: `
for shape in ../out.json link/out.json; do
  printf 'shape,batch,dp,step_seconds\n%s,128,8,0.1\n' $shape >steps.csv; run 3 '` + outside + `' calibrate --from steps.csv --hardware a100
done`},
	{name: "logs in a folder lead outside", script: `
mkdir runs; ln -s ../../secret.gin runs/a.csv; run 3 '` + outside + `' fit runs
ln -s ../../secret.gin runs/events.out.tfevents.1; run 3 '` + outside + `' fit runs
mkdir -p m/0/run/metrics; ln -s ../../../../../secret.gin m/0/run/meta.yaml; echo '1 2 3' >m/0/run/metrics/loss; run 3 '` + outside + `' fit m`},
	{name: "pipes are refused without waiting", script: `
for name in config.json a.yaml a.gin a.csv .deepnarrow.yaml model.safetensors; do mkfifo $name; done
run 3 'a named pipe' check config.json a.yaml --rules a.yaml; rm .deepnarrow.yaml
run 3 'a named pipe' check config.json; run 3 'a named pipe' check '*.gin'; run 3 'a named pipe' count config.json
run 3 'a named pipe' fit a.csv; run 3 'a named pipe' diff config.json t5-base; run 3 'a named pipe' report config.json
run 3 'a named pipe' plan t5-base --hardware a.yaml; run 3 'a named pipe' plan a.yaml; run 3 'a named pipe' count ok.json --architectures a.yaml
run 3 'a named pipe' calibrate --from a.csv --hardware a100; run 3 'a named pipe' recommend --like t5-base --candidates a.csv
run 3 'a named pipe' train t5-tiny --text a.csv; run 3 'a named pipe' transfer a.csv; run 3 'a named pipe' validate --from a.csv`},
	{name: "pipes that files name are refused without waiting", script: `
mkfifo base.yaml pipe.gin; echo 'extends: ./base.yaml' >a.yaml; run 3 'a named pipe' count a.yaml; run 3 'a named pipe' check a.yaml
echo 'extends: ./base.yaml' >.deepnarrow.yaml; run 3 'a named pipe' check ok.json
printf '%s\nplan: {hardware: base.yaml}\nbaseline: base.yaml\n' "$rule" >.deepnarrow.yaml; run 3 'a named pipe' check ok.json
echo "include 'pipe.gin'" >a.gin; run 3 'a named pipe' count a.gin; rm .deepnarrow.yaml
mkdir m runs; echo "$t5" >m/config.json; mkfifo m/model.safetensors runs/a.csv runs/trainer_state.json; run 3 'a named pipe' check m/config.json; run 3 'a named pipe' fit runs`},
	{name: "devices are refused", script: `
ln -s /dev/zero config.json; run 3 'a device' count config.json; run 3 '` + outside + `' check config.json; run 3 'a device' check config.json --follow-links
ln -s /dev/zero a.csv; run 3 'a device' fit a.csv; run 3 'a device' train t5-tiny --text /dev/zero; run 3 'a device' report /dev/zero`},
	{name: "what a shell passes is read", script: `
run 0 60,506,624 count <(cat ok.json); run 0 60,506,624 count - <ok.json; run 0 60,506,624 count /dev/stdin <ok.json
run 0 60,506,624 count /dev/stdin < <(cat ok.json)`},
	{name: "a file named -", script: `
echo 'extends: t5-small' >-; printf '%s\nfiles: "-"\n' "$rule" >.deepnarrow.yaml; run 0 '1 file checked' check < <(sleep 30 2>/dev/null)
run 0 '1 file checked' check '?' < <(sleep 30 2>/dev/null); run 0 60,506,624 count ./-`},
	{name: "names that look like flags", script: `
mkdir -- --rules=evil; echo 'extends: t5-small' >--rules=evil/a.yaml; run 0 '1 file checked' check -- --rules=evil/a.yaml; run 0 '1 file checked' check './--rules=evil/*.yaml'
grep -q 'entry: deepnarrow check --if-listed --$' "$SOURCE/.pre-commit-hooks.yaml"`},
	{name: "a revision", script: `
command -v git >/dev/null || exit 0
rm -r .git; git init -q .; export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
echo 'extends: ./base.yaml' >y.yaml; echo 'extends: ../base.yaml' >sub/z.yaml; echo 'extends: t5-small' >base.yaml; echo 'extends: ../out.yaml' >bad.yaml; ln -s ../secret.gin s.gin
git add -A; git commit -qm x
run 0 60,506,624 diff HEAD:y.yaml t5-base; run 0 60,506,624 diff HEAD:sub/z.yaml t5-base; run 3 'HEAD:bad.yaml:1:10: .*leaves the folder' diff HEAD:bad.yaml t5-base
(cd sub; run 0 60,506,624 diff HEAD:./z.yaml t5-base; run 0 60,506,624 diff HEAD:../y.yaml t5-base; run 3 'leaves the folder' diff HEAD:../bad.yaml t5-base)
ln -s ../secret.gin operative_config.gin; run 0 'operative_config.gin: cannot be compared: ` + outside + `' diff HEAD; run 3 '` + outside + `' check --changed-since HEAD '*.gin'
for command in 'diff --' 'check y.yaml --changed-since'; do run 3 '--output=x' $command --output=x; run 3 'HEAD:y.yaml' $command HEAD:y.yaml; done
run 3 'deepnarrow' diff HEAD:s.gin t5-base; run 3 'deepnarrow' diff --  --output=x:y t5-base; [ ! -e x ]`},
	{name: "a bare repository among the files", script: `
command -v git >/dev/null || exit 0
git version | grep -Eq 'version (2\.(3[89]|[4-9][0-9])|[3-9])' || exit 0
rm -r .git; git init -q .; export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
git init -q --bare evil; cd evil; printf '#!/bin/sh\ntouch ../../ran; cat\n' >run; chmod +x run; cp run hooks/post-index-change
printf '[core]\n worktree = .\n bare = false\n fsmonitor = ./run\n[filter "x"]\n clean = ./run\n[diff]\n external = ./run\n' >config
echo '*.json filter=x' >.gitattributes; cp ../ok.json config.json; GIT_DIR=. git add -f config.json .gitattributes; GIT_DIR=. git commit -qm x; rm -f ../../ran; echo >>config.json
run 3 'bare' check --changed-since HEAD '*.json'; run 3 'bare' diff HEAD; run 3 'bare' diff HEAD:config.json t5-base; [ ! -e ../../ran ]`},
	{name: "the first signal is heard", script: `
for signal in INT TERM HUP; do for command in 'count -' 'fit -' 'report -' 'check -' 'calibrate --from - --hardware a100'; do
  { env --default-signal=HUP dn $command < <(sleep 30 2>/dev/null) >out 2>err & pid=$!; sleep 0.5; kill -$signal $pid; wait $pid && exit 1 || [ $? = 130 ]; }; grep -q interrupted err
done; done`},
}

// quoted are attacks by names and texts that steer where they are shown.
var quoted = []attack{
	{name: "names of files that are not there", script: `
for x in "${nasty[@]}"; do for command in 'count ./' 'check ./' 'plan --hardware a100 ./' 'diff t5-base ./' 'export --to hf ./' 'fit ./' 'isoflop ./' 'envelope ./' 'transfer ./' \
  'allocate --flops 1e20 --law-file ./' 'report ./' 'recommend --like ./' 'recommend --like t5-base --records ./' 'recommend --like t5-base --candidates ./' 'track --run ./x ./' 'validate --from ./' \
  'check t5-base --rules ./' 'count ok.json --architectures ./' 'calibrate --hardware a100 --from ./' 'train t5-tiny --text ./' 'protocol --records ./'; do
  dn $command"$x.json" >1.out 2>2.out && exit 1 || [ $? = 2 -o $? = 3 -o $? = 4 ]
done; done; cat 2.out`},
	{name: "names of files that are there", script: `
for x in "${nasty[@]}"; do
  f="./${x//\//_}.json"; echo "$t5" >"$f"; for format in table markdown csv json; do run 0 params count "$f" --format $format; done
  for format in table json sarif junit summary comment; do run 0 params check "$f" --format $format --rules <(true) || true; done
  run 0 60,506,624 diff "$f" t5-base; run 0 'fits' plan "$f" --hardware a100; echo '{' >"$f"
  for format in table json sarif junit summary comment; do run 3 . check "$f" --format $format; done; rm "$f"
done`},
	{name: "names of shapes", script: `
for x in "${nasty[@]}"; do
  printf 'extends: t5-small\nname: "%s"\n' "$(printf %s "$x" | sed -z 's/\x1b/\\e/g; s/\n/\\n/g; s/\a/\\a/g')" >a.yaml
  for format in table markdown csv json html; do run 0 . count a.yaml --format $format; run 0 . plan a.yaml --hardware a100 --format $format; run 0 . diff a.yaml t5-base --format $format; done
  dn plan a.yaml --hardware a100 -o p.json; run 0 . report p.json; dn recommend --like a.yaml >1.out 2>2.out; dn check a.yaml --format comment >3.out 2>4.out
done
printf 'extends: t5-small\nname: "=cmd"\n' >a.yaml; run 0 "^'=cmd" count a.yaml --format csv
printf 'extends: t5-small\nname: "[a](http://x.test) @team"\n' >a.yaml; run 0 'a\\\]\(http&#58;//x.test\) &#64;&#8203;team' count a.yaml --format markdown`},
	{name: "files and colours are as harmless as standard output", script: `
for x in "${nasty[@]}" ::error::x; do
  printf 'extends: t5-small\nname: "%s"\n' "$(printf %s "$x" | sed -z 's/\x1b/\\e/g; s/\n/\\n/g; s/\a/\\a/g')" >a.yaml
  for format in table markdown csv json latex; do dn count a.yaml --format $format -o $format.out; done
  cp a.yaml "./${x//\//_}.yaml"; rm -f *.sarif.out
  for format in table json sarif junit summary comment; do dn check "./${x//\//_}.yaml" --format $format -o $format.check.out >1.out 2>2.out || [ $? -lt 4 ]; done
  dn count a.yaml --color always | sed $'s/\x1b\\[[0-9;]*m//g' >colours.out
done
printf 'extends: t5-small\nname: "[5cm]"\n' >a.yaml; run 0 '^{}\[5cm\]' count a.yaml --format latex
printf 'extends: t5-small\nname: "a;\t=cmd"\n' >a.yaml; run 0 "^a;' =cmd" count a.yaml --format csv`},
	{name: "keys of configurations", script: `
for x in "${nasty[@]}"; do
  q="$(printf %s "$x" | sed -z 's/\x1b/\\e/g; s/\n/\\n/g; s/\a/\\a/g')"; printf 'extends: t5-small\n"%s": 1\n' "$q" >a.yaml; dn count a.yaml >1.out 2>2.out || [ $? = 3 ]
  for format in table json sarif junit summary comment; do dn check a.yaml --format $format >$format.out 2>err.out || [ $? = 1 -o $? = 3 ]; done
  printf '"%s"\n' "$q" >b.yaml; run 3 . count b.yaml; printf '%s = 1\n' "$x" >b.gin; dn count b.gin >3.out 2>4.out || [ $? = 3 ]; printf 'a = "%s"\n' "$x" >b.toml; dn count b.toml >5.out 2>6.out || [ $? = 3 ]
  printf '{"model_type": "%s"}' "$(printf %s "$x" | sed -z 's/\x1b/\\u001b/g; s/\n/\\n/g; s/\a/\\u0007/g')" >b.json; run 3 . count b.json; run 3 . check b.json
done`},
	{name: "keys of rules", script: `
for x in "${nasty[@]}"; do
  q="$(printf %s "$x" | sed -z 's/\x1b/\\e/g; s/\n/\\n/g; s/\a/\\a/g')"
  for rules in "plan: {\"$q\": 1}" "\"$q\": 1" "rules: [{id: \"$q\", metric: params, max: 1}]" "rules: [{id: a, metric: \"$q\", max: 1}]" "rules: [{id: a, metric: params, max: \"$q\"}]" \
    "rules: [{id: a, metric: params, max: 1, \"$q\": 2}]" "plan: {hardware: \"$q\"}" "plan: {batch: \"$q\"}" "files: \"$q/*\"" "baseline: \"../$q\"" "extends: \"./$q\"" "waivers: [{rule: \"$q\", reason: x, expires: 2030-01-01}]"; do
    echo "$rules" >.deepnarrow.yaml; for format in table sarif comment; do run 3 . check ${rules:+$([ "${rules#files}" = "$rules" ] && echo ok.json)} --format $format; done
  done
done`},
	{name: "texts of rules in findings", script: `
for x in "${nasty[@]}"; do
  q="$(printf %s "$x" | sed -z 's/\x1b/\\e/g; s/\n/\\n/g; s/\a/\\a/g')"
  printf 'rules: [{id: a, metric: params, max: 1, message: "%s"}, {id: b, metric: params, max: 2}]\nwaivers: [{rule: b, reason: "%s", expires: 2999-01-01}]\n' "$q" "$q" >.deepnarrow.yaml
  for format in table json sarif junit summary comment; do run 1 . check ok.json --format $format; done
done
dn check ok.json --format github >github.txt 2>1.out && exit 1; [ "$(grep -c '^::error file=ok.json,' github.txt)" = "$(grep -c . github.txt)" ] && ! grep -q '##\[' github.txt`},
	{name: "globs", script: `for x in "${nasty[@]}"; do run 3 'matches no file' check "./none/$x/*.json"; done`},
	{name: "profiles", script: `
for x in "${nasty[@]}"; do
  q="$(printf %s "$x" | sed -z 's/\x1b/\\e/g; s/\n/\\n/g; s/\a/\\a/g')"; printf 'name: "%s"\n"%s": 1\n' "$q" "$q" >p.yaml; run 3 . plan t5-base --hardware p.yaml; run 3 . plan t5-base --hardware "a100,$x=1"; run 3 . plan t5-base --hardware "$x"
done`},
	{name: "columns, runs and groups of records", script: `
for x in "${nasty[@]}"; do
  { printf 'run,params,loss,who,"%s"\n' "$x"; for p in 1 2 4 8 16 32; do printf '"%s%s",%se6,%s,"%s",1\n' "$x" $p $p "$(echo "3.$((40 - p))")" "$x"; done; } >runs.csv
  for format in table markdown csv json html; do dn fit runs.csv --law power --by who --format $format >$format.out 2>err.out || [ $? = 3 -o $? = 4 ]; done
  dn fit runs.csv --response "$x" >1.out 2>2.out || [ $? -lt 5 ]; dn fit runs.csv --where "$x<1" >3.out 2>4.out || [ $? -lt 5 ]; dn fit runs.csv --by "$x" >5.out 2>6.out || [ $? -lt 5 ]; dn fit runs.csv --map "params=$x" >7.out 2>8.out || [ $? -lt 5 ]
  dn isoflop runs.csv >9.out 2>10.out || [ $? -lt 5 ]; dn transfer runs.csv >11.out 2>12.out || [ $? -lt 5 ]; dn envelope runs.csv >13.out 2>14.out || [ $? -lt 5 ]; dn recommend --like t5-base --records runs.csv >15.out 2>16.out || [ $? -lt 5 ]
done`},
	{name: "results of others", script: `
dn plan t5-base --hardware a100 -o p.json
for x in "${nasty[@]}"; do
  q="$(printf %s "$x" | sed -z 's/\x1b/\\u001b/g; s/\n/\\n/g; s/\a/\\u0007/g; s/[&|]/\\&/g; s/\\/\\\\/g')"; sed "s|t5-base|$q|g; s|\"warnings\": \[|&\"$q\",|" p.json >h.json
  dn report h.json >1.out 2>2.out || [ $? = 3 ]; dn report h.json --bundle b >3.out 2>4.out || [ $? = 3 ]; [ ! -e b/report.md ] || cp b/report.md 5.out; dn diff h.json p.json >6.out 2>7.out || [ $? = 3 ]
done`},
	{name: "tensors", script: `
for x in "${nasty[@]}"; do
  h='{"'"$(printf %s "$x" | sed -z 's/\x1b/\\u001b/g; s/\n/\\n/g; s/\a/\\u0007/g')"'":{"dtype":"F9","shape":[1],"data_offsets":[0,4]}}'
  { printf "\\x$(printf %02x ${#h})\\0\\0\\0\\0\\0\\0\\0"; printf %s "$h"; } >m.safetensors; run 3 . count m.safetensors; run 3 . check m.safetensors
done`},
	{name: "values of flags", script: `
for x in "${nasty[@]}"; do
  for command in 'count t5-base --by' 'count t5-base --convention' 'count t5-base --format' 'count t5-base --precision' 'count t5-base --batch' 'plan t5-base --hardware a100 --layout' 'plan t5-base --hardware a100 --price' 'plan t5-base --hardware a100 --region' \
    'plan t5-base --hardware a100 --stack' 'recommend --like' 'recommend --like t5-base --objective' 'list' 'explain' 'export t5-base --to' 'fit ok.json --law' 'fit ok.json --objective' 'fit ok.json --fix' 'check t5-base --today' 'check t5-base --emit' '' '--'; do
    dn $command "$x" >1.out 2>2.out && [ -z "$command" ] && exit 1 || [ $? -lt 5 ]
  done
done`},
}

// bounded are small files that ask for much.
var bounded = []attack{
	{name: "brackets in a run of MLflow", script: `
mkdir -p m/0/run/metrics; printf '1 2 3\n2 2 4\n' >m/0/run/metrics/loss; head -c 60000 /dev/zero | tr '\0' '[' >m/0/run/meta.yaml; dn fit m >1.out 2>2.out || [ $? -lt 5 ]`},
	{name: "aliases in a run of MLflow", script: `
mkdir -p m/0/run/metrics; printf '1 2 3\n2 2 4\n' >m/0/run/metrics/loss
{ echo 'a: &a [x,x,x,x,x,x,x,x,x]'; p=a; for k in b c d e f g h i; do echo "$k: &$k [*$p,*$p,*$p,*$p,*$p,*$p,*$p,*$p,*$p]"; p=$k; done; } >m/0/run/meta.yaml; dn fit m >1.out 2>2.out || [ $? -lt 5 ]`},
	{name: "brackets in YAML", script: `
for c in '[' '{' '- ' '? ' '[{' 'a: [' '- - '; do for i in {1..12}; do c="$c$c"; done; printf %s "$c" >a.yaml
  run 3 'allowed: at most|too many|too large|is not valid' count a.yaml; run 3 . check ok.json --rules a.yaml; run 3 . plan t5-base --hardware a.yaml; run 3 . count ok.json --architectures a.yaml; run 3 . plan a.yaml --hardware a100; done`},
	{name: "aliases in YAML", script: `
{ echo 'a: &a [x,x,x,x,x,x,x,x,x]'; p=a; for k in b c d e f g h i; do echo "$k: &$k [*$p,*$p,*$p,*$p,*$p,*$p,*$p,*$p,*$p]"; p=$k; done; } >a.yaml
run 3 'not accepted' count a.yaml; run 3 . check ok.json --rules a.yaml; run 3 . plan t5-base --hardware a.yaml; run 3 . count ok.json --architectures a.yaml`},
	{name: "brackets in JSON", script: `
head -c 1000000 /dev/zero | tr '\0' '[' >a.json; { printf '{"model_type":'; cat a.json; } >b.json; { printf '{"schema":"deepnarrow/plan/v1","results":'; cat a.json; } >c.json
for f in a b c; do run 3 . count $f.json; run 3 . check $f.json; run 3 . report $f.json; run 3 . diff $f.json t5-base; run 3 . fit $f.json; run 3 . track $f.json --run $f.json; done
printf '%s\nbaseline: a.json\n' "$rule" >.deepnarrow.yaml; run 3 . check ok.json`},
	{name: "files of a gigabyte", script: `
for f in a.json a.yaml a.gin a.toml; do printf '{"model_type": "t5", "x": "' >$f; truncate -s 1G $f 2>/dev/null || exit 0; done
for f in a.json a.yaml a.gin a.toml; do run 3 'too large; allowed: at most [0-9]+ bytes' count $f; run 3 'too large' check $f; done
run 3 'too large' report a.json; run 3 'too large' diff a.json t5-base; run 3 'large' plan t5-base --hardware a.yaml; run 3 'large' check ok.json --rules a.yaml; run 3 'large' plan a.yaml --hardware a100; run 3 'large' count ok.json --architectures a.yaml
printf '%s\nbaseline: a.json\n' "$rule" >.deepnarrow.yaml; run 3 'too large' check ok.json`},
	{name: "lengths that a header claims", script: `
printf '\xff\xff\xff\xff\xff\xff\xff\x7f{}' >a.safetensors; run 3 'impossible|allowed' count a.safetensors; printf '\x00\x00\x00\x06\0\0\0\0{}' >a.safetensors; run 3 . count a.safetensors
printf 'PAR1\xff\xff\xff\x7fPAR1' >a.parquet; run 3 . fit a.parquet; printf 'SQLite format 3\0\xff\xff' >mlflow.db; run 3 . fit mlflow.db; printf '\xff\xff\xff\xff\xff\xff\xff\x7f1234' >events.out.tfevents.1; run 3 . fit events.out.tfevents.1`},
	{name: "an index of many shards", script: `
{ printf '{"weight_map":{"a":"a.safetensors"'; for i in {1..9999}; do printf ',"%s":"%s.safetensors"' $i $i; done; printf '}}'; } >model.safetensors.index.json; run 3 'allowed: at most|index' count model.safetensors.index.json`},
	{name: "circles", script: `
echo 'extends: ./b.yaml' >a.yaml; echo 'extends: ./a.yaml' >b.yaml; run 3 circle count a.yaml; run 3 circle check ok.json --rules a.yaml; echo "include 'a.gin'" >a.gin; run 3 circle count a.gin; ln -s x.json x.json; run 3 . count x.json; run 3 . check x.json`},
	{name: "chains", script: `
for i in {1..40}; do echo "extends: ./a$((i + 1)).yaml" >a$i.yaml; done; run 3 'too many files' count a1.yaml; run 3 'too many files' check ok.json --rules a1.yaml
for i in {1..30}; do printf "include 'g%s.gin'\ninclude 'g%s.gin'\n" $((i + 1)) $((i + 1)) >g$i.gin; done; run 3 . count g1.gin`},
	{name: "expressions", script: `
p=$(head -c 100000 /dev/zero | tr '\0' '('); echo 'a,loss' >a.csv; run 2 . fit a.csv --where "a<$(head -c 100000 /dev/zero | tr '\0' 9)" || true; run 2 . fit a.csv --where "${p:0:90000}"
printf 'a = %s\n' "$p" >a.gin; run 3 . count a.gin; printf 'extends: t5-small\nd_model: %s\n' "$p" >a.yaml; run 3 . count a.yaml`},
	{name: "tables of architectures that build on each other", script: `
echo '{"model_type":"mm"}' >m.json
for rules in '' '\n  dense: ["pooled: d_model -> d_model"]'; do
  { for i in {0..11}; do j=m$((i + 1)); echo "m$i:"; echo "  like: [$j,$j,$j,$j,$j,$j,$j,$j,$j]"; done; printf 'm12:\n  like: t5'"$rules"'\nmm:\n  like: m0\n'; } >a.yaml
  dn count m.json --architectures a.yaml >1.out 2>2.out || [ $? = 3 ]
done
for line in 'assume: {a: b}' 'usual: None' 'like: mm' 'like: [t5, mm]' 'within: [[1]]' 'classes: null' 'parts: [{in: a, like: mm}]'; do
  printf 'mm:\n  like: t5\n  %s\n' "$line" >a.yaml; dn count m.json --architectures a.yaml >1.out 2>2.out || [ $? = 3 ]
done
printf 'mm:\n  like: t5\n  classes: {Model: null, ForConditionalGeneration: null}\n' >a.yaml; run 0 params count m.json --architectures a.yaml
echo '{"model_type":"trocr"}' >m.json; run 0 TrOCRModel count m.json`},
	{name: "globs of many stars", script: `
g=$(printf '**/%.0s' {1..300}); d=$(printf 'd/%.0s' {1..60}); mkdir -p $d; echo "$t5" >${d}config.json; run 0 '[12] file' check "$g*.json" || run 3 . check "$g*.json"
s=$(printf '*a%.0s' {1..200}); run 3 'matches no file' check "./$s.json"`},
	{name: "many columns and long lines", script: `
{ printf a; printf ',c%s' {1..20000}; echo; printf 1; printf ',1%.0s' {1..20000}; echo; } >a.csv; dn fit a.csv >1.out 2>2.out || [ $? -lt 5 ]; head -c 50000000 /dev/zero | tr '\0' a >b.csv; run 3 . fit b.csv; head -c 30000000 /dev/zero | tr '\0' , >c.csv; run 3 . fit c.csv`},
	{name: "a small file that expands", script: `
{ printf 'run,params,loss\n'; head -c 300000000 /dev/zero; } | gzip -1 >a.csv.gz; run 3 . fit a.csv.gz; { echo '{"loss":1,"x":"'; head -c 300000000 /dev/zero | tr '\0' a; } | gzip -1 >a.jsonl.gz; run 3 . fit a.jsonl.gz`},
	{name: "numbers", script: `
for v in 1e400 -1e400 NaN Infinity 99999999999999999999 1e308 -1; do
  echo "${t5/512/$v}" >a.json; run 3 . count a.json; printf 'extends: t5-small\nd_model: %s\n' $v >a.yaml; run 3 . count a.yaml; run 3 . check a.yaml; dn plan t5-base --hardware "a100,mem=$v" >1.out 2>2.out || [ $? -lt 5 ]
  for flag in price watts pue goodput mfu; do dn plan t5-base --hardware a100 --$flag $v >1.out 2>2.out || [ $? -lt 5 ]; done
done; for flag in 'price 1e308' 'pue 1e308' 'goodput 1e-308' 'mfu 1e-308'; do run 2 'the limit is' plan t5-base --hardware a100 --$flag; run 2 'the limit is' recommend --like t5-base --hardware a100 --$flag; done
run 3 'the limit is' plan t5-base --hardware a100,price=1e308; run 0 '[0-9]\.0,|e\+' plan t5-xxl --hardware a100 --devices 512 --batch 4096 --steps 1e9 --format json`},
	{name: "many plans side by side", script: `
list=$(seq -s, 1 20000); run 2 'at most' plan t5-base --hardware a100 --what-if batch=$list; run 2 'at most' plan t5-base --hardware a100 --devices $list
run 2 'at most|alone|allowed' plan t5-base --hardware a100 --batch $list --steps $list --encoder-length $list`},
	{name: "many results in a page", script: `
{ printf '{"schema":"deepnarrow/count/v1","tool":{"name":"deepnarrow","version":"x"},"inputs":{},"conventions":{},"warnings":[],"results":[{}'; for i in {1..200000}; do printf ',{}'; done; echo ']}'; } >b.json
run 3 'allowed: at most 50000' report b.json; run 3 'allowed: at most 50000' report b.json --bundle b`},
}

// TestHostile holds what commands read, refuse and say, see docs/SECURITY.md.
func TestHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the program some thousand times")
	}
	for kind, attacks := range map[string][]attack{"contained": contained, "quoted": quoted, "bounded": bounded} {
		t.Run(kind, func(t *testing.T) { runAttacks(t, hostilePrelude, attacks) })
	}
}
