#!/bin/sh
# Prolog= of slurm.conf: one collector per job and node, started as root. Slurm drains the node when this
# fails, so a missing collector must not fail the job.
export RUN_ID="slurm-$SLURM_JOB_ID" LOGS_DIR="${TRACEKIT_LOGS:-/var/lib/tracekit/logs}" TIME_SYNC=0
"${TRACEKIT_DIR:-/opt/tracekit}/tracekit-collector" start-collect --per-node >/dev/null 2>&1 ||
  logger -t tracekit "no collector for job $SLURM_JOB_ID" || true
# Jobs write their own events into the run: its folder belongs to the job's user.
chown -R "$SLURM_JOB_USER" "$LOGS_DIR/$RUN_ID" 2>/dev/null || true
