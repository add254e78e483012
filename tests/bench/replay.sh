#!/bin/sh
# Plays a host over again: the first question is answered as always; the next ones alike, as long after they came.
mark=${SSH_ORIGINAL_COMMAND#*runnerkit-}
mark=runnerkit-${mark%%[!0-9a-f]*}
if [ -s /root/took ]; then
  cat >/dev/null
  sleep "$(cat /root/took)"
  echo "$mark" && echo "$mark" >&2
  exec sed 1d /root/answer
fi
cat >/root/question
begun=$(date +%s%N)
sh -c "$SSH_ORIGINAL_COMMAND" </root/question >/root/answer
took=$(($(date +%s%N) - begun))
cat /root/answer
printf '%d.%09d\n' $((took / 1000000000)) $((took % 1000000000)) >/root/took
