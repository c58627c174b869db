#!/bin/sh
#SBATCH --job-name=traced
#SBATCH --array=1-4
# The job's command behind `adapt`, which records its exact exit account and keeps its exit code.
export RUN_ID="slurm-$SLURM_JOB_ID" LOGS_DIR="${TRACEKIT_LOGS:-/var/lib/tracekit/logs}"
exec "${TRACEKIT_DIR:-/opt/tracekit}/tracekit-adapter" adapt --per-node -- \
  sh -c 'head -c 64M /dev/zero | sha256sum'
