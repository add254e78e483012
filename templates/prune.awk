# Which images may go. Never: what a container uses, the current and `keep` previous builds of a job
# image, their bases, what the manager and config.toml name, what was used within the last hour.
function epoch(s,    y, m, zone) {
  gsub(/"/, "", s)
  y = substr(s, 1, 4) + 0; m = substr(s, 6, 2) + 0
  if (y < 1970) return 0
  if (match(s, /[-+][0-9][0-9]:[0-9][0-9]$/))
    zone = (substr(s, RSTART, 3) * 60 + (substr(s, RSTART, 1) substr(s, RSTART + 4, 2))) * 60
  if (m < 3) { y--; m += 12 }
  return (365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * (m - 3) + 2) / 5) + substr(s, 9, 2) - 719469) * 86400 \
    + substr(s, 12, 2) * 3600 + substr(s, 15, 2) * 60 + substr(s, 18, 2) - zone
}
# As runnerkit/images/reference.py has it.
function normal(name,    at, first, hub, domain, digest, tag) {
  at = index(name, "/"); first = substr(name, 1, at - (at > 0))
  hub = first ~ /^(index\.)?docker\.io$/
  if (hub || first == "localhost" || first ~ /[.:]/ || first != tolower(first)) name = substr(name, at + 1)
  else { first = ""; hub = 1 }
  domain = hub ? "" : first "/"
  if (at = index(name, "@")) { digest = substr(name, at); name = substr(name, 1, at - 1) }
  if (at = index(name, ":")) { tag = substr(name, at); name = substr(name, 1, at - 1) }
  if (hub && name ~ /^library\/[^\/]*$/) sub(/^library\//, "", name)
  return domain name (digest != "" ? digest : tag != "" ? tag : ":latest")
}
function hold(i, why) { if (!(i in held)) { held[i] = why; reasons[why]++; changed = 1 } }
function bases(i,    words, n, j, b) {
  n = split(base[i], words, /[^A-Za-z0-9_.:\/@-]+/)
  for (j = 1; j <= n; j++) if (words[j] != "") {
    if (words[j] in number) hold(number[words[j]], "bases")
    if (normal(words[j]) in owner) hold(owner[normal(words[j])], "bases")
  }
}
BEGIN { split("now 2 job 2 name 2 version 2 container 2 event 2 recent 2 stored 3 image 9 whole 1", words, " "); for (i = 1; i in words; i += 2) fields[words[i]] = words[i + 1] }
# A line that is no fact may hide one, and nothing goes.
fields[$1] != NF && $1 != "name" { broken = 1; next }
$1 == "now" { now = $2 }
$1 == "name" && $2 ~ /\$/ { sub(/\$.*/, "", $2); if ($2 != "") prefixes[$2] }
$1 == "name" && $2 !~ /\$/ { named[normal($2)] }
$1 == "version" { if ($2 == "") anyhelper = 1; else versions[$2] }
$1 == "container" { used[$2] }
$1 == "event" && !events++ { since = $2 }
$1 == "job" { jobs[$2] }
$1 == "recent" { gsub(/"/, "", $2) }
$1 == "recent" && $2 ~ /^[A-Za-z0-9][A-Za-z0-9_.:\/@-]*$/ { recent[$2]; recent[normal($2)] }
$1 == "stored" { sub(/.*\//, "", $2); stored["sha256:" $2] = $3 + 0 }
$1 == "image" {
  id[++n] = $2; number[$2] = n; size[n] = $5; label = $6; gsub(/"/, "", label)
  if (!(label in jobs)) label = "" # anybody can write one: a build bears a name of the settings
  names[n] = $8; sub(/ $/, "", names[n]); layers[n] = $9
  time[n] = epoch($4)
  if (stored[$2] > time[n]) time[n] = stored[$2]
  if (!time[n]) time[n] = epoch($3)
  if (now - time[n] < 3600) hold(n, "used within the hour")
  if ($2 in used) hold(n, "used by containers")
  if ($2 in recent) hold(n, "used within the hour")
  count = split(names[n], words, " ")
  for (i = 1; i <= count; i++) {
    name = words[i]; owner[name] = n
    if (name in named) hold(n, "named by the manager or its settings")
    if (name in recent) hold(n, "used within the hour")
    for (prefix in prefixes) if (index(name, prefix) == 1) hold(n, "named by the manager or its settings")
    if (name ~ /gitlab-runner-helper[:@]/) {
      if (anyhelper) hold(n, "named by the manager or its settings")
      for (version in versions) if (index(name "-", "-" version "-")) hold(n, "named by the manager or its settings")
    }
    tag = substr(name, length(label) + 2)
    if (label != "" && index(name, label ":") == 1 && (tag == "latest" || length(tag) == 12 && tag !~ /[^0-9a-f]/)) { build[n] = label; base[n] = $7 }
  }
}
$1 == "whole" { whole = 1 }
END {
  if (!whole || broken) { print "~\tkept images: not all could be looked at, run again"; exit }
  for (i in build) {
    current = owner[build[i] ":latest"]
    if (current) hold(current, "builds")
    newer = 0
    for (j in build) if (build[j] == build[i] && j != current && (time[j] > time[i] || time[j] == time[i] && j + 0 > i + 0)) newer++
    if (newer < keep + !current) hold(i, "builds")
  }
  do {
    changed = 0
    for (i = 1; i <= n; i++) if (i in held) bases(i)
  } while (changed)
  for (i = 1; i <= n; i++) if (!(i in held) && !(i in build) && names[i] != "")
    for (j = 1; j <= n; j++) if (j in held && layers[i] != "" && index(layers[j], layers[i]) == 1) hold(i, "bases")
  for (i = 1; i <= n; i++) if (!(i in held))
    printf "%s\t%.0f\t%s\t%s\t%s\n", names[i] == "" ? "dangling" : i in build ? "old-build" : "other", time[i], id[i], size[i], names[i]
  if (events >= 256) printf "~\tDocker remembers its last 256 events, here of %d min: what was used before that counts as unused\n", (now - since) / 60
  for (why in reasons) summary = summary (summary == "" ? "" : ", ") reasons[why] " " why
  if (summary != "") print "~\tkept images: " summary
}
