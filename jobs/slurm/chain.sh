#!/bin/bash
# simulate -> transport -> export -> report: a stage starts when the one before it ended with 0; when one fails, those behind it are cancelled.
# Rendered by: thalweg submit jobs/pipeline.toml --print
# By hand: bash this file. All at once: scancel $(cut -f 3 chain.tsv), or thalweg submit --cancel with the same job.
set -euo pipefail

output=out/pipeline
mkdir -p "$output"
cat >"$output/stage.sbatch" <<'END_OF_STAGE'
#!/bin/bash
# one stage of a chain on 1 node x 1 rank.
#SBATCH --job-name=thalweg
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=4
#SBATCH --mem=2G
#SBATCH --time=00:30:00
# Every rank is told to stop so long before the time limit, saves its state and ends with 5.
#SBATCH --signal=USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=out/pipeline/slurm-%j.log
set -uo pipefail

results=$1 # then the command line of the stage
shift
job=$SLURM_JOB_ID
threads=$SLURM_CPUS_PER_TASK

export OMP_NUM_THREADS=$threads OMP_PROC_BIND=spread OMP_PLACES=cores OPENBLAS_NUM_THREADS=1

# starts.tsv: what states and results there were at each start, and how it ended.
progress() { find "$results/checkpoint" "$results/solution" -name '*.h5' 2>/dev/null | sort | cksum | tr ' ' '-'; }
record() { printf '%s\t%s\t%s\n' "$SLURM_JOB_ID" "$1" "$2" >>"$results/starts.tsv"; }
mkdir -p "$results"
[ -s "$results/starts.tsv" ] || printf 'job_id\tevent\tvalue\n' >"$results/starts.tsv"
record start "$(progress)"

srun --mpi=pmix --kill-on-bad-exit=1 --cpus-per-task="$threads" --cpu-bind=cores \
  "${THALWEG:-thalweg}" "$@"
status=$?
record end "$status"

# 5: stopped with a state. 128 and more: killed, by a lost node or for want of memory, or a rank crashed. The rest is final.
if [ "$status" -ne 5 ] && [ "$status" -lt 128 ]; then exit "$status"; fi
# Starts since which no state was added, this one among them: none may follow one that was stopped, one may follow a kill.
idle=$(grep -cxF "$SLURM_JOB_ID"$'\tstart\t'"$(progress)" "$results/starts.tsv")
if [ "$idle" -gt $((status >= 128)) ]; then
  echo "not requeued: no checkpoint between start and stop; if that was the time limit, raise it above $SECONDS s" >&2
  exit "$status"
fi
if [ "${SLURM_RESTART_COUNT:-0}" -ge 50 ]; then
  echo "not requeued: started again 50 times already" >&2
  exit "$status"
fi
echo "requeued after exit code $status" >&2
scontrol requeue "$job" && sleep 60 # Slurm ends the script meanwhile
exit "$status"
END_OF_STAGE

if [ -s "$output/chain.tsv" ]; then # jobs of an earlier submission read the same files
  waiting=$(squeue -h -o %i -j "$(tail -n +2 "$output/chain.tsv" | cut -f 3 | paste -s -d , -)" 2>/dev/null) || true
  if [ -n "$waiting" ]; then
    echo "still in the queue from $output: $waiting; wait for them, or cancel them" >&2
    exit 1
  fi
fi
printf 'stage\tcommand\tjob_id\n' >"$output/chain.tsv"
previous=""
number=0
stage() { # stage RESULTS COMMAND WORD..
  local after=()
  if [ -n "$previous" ]; then after=(--dependency="afterok:$previous" --kill-on-invalid-dep=yes); fi
  previous=$(sbatch --parsable ${after[@]+"${after[@]}"} --job-name="$2" "$output/stage.sbatch" "$@")
  previous=${previous%%;*}
  number=$((number + 1))
  printf '%s\t%s\t%s\n' "$number" "$2" "$previous" >>"$output/chain.tsv"
}

stage out/pipeline_cells simulate jobs/pipeline/cells.toml --resume
stage out/pipeline transport jobs/pipeline.toml --resume
stage out/pipeline_coupling export jobs/pipeline/coupling.toml --resume
stage out/pipeline report out/pipeline
