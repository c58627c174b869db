#!/bin/sh
# Epilog= of slurm.conf: end the collector that the prolog started.
export RUN_ID="slurm-$SLURM_JOB_ID" LOGS_DIR="${TRACEKIT_LOGS:-/var/lib/tracekit/logs}"
"${TRACEKIT_DIR:-/opt/tracekit}/tracekit-collector" stop-collect --per-node >/dev/null 2>&1 || true
