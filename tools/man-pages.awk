# Makes roff of what a command says at --help. Variables: first: 1 for the program itself, 0 for a command; words: what calls it; usage: how, in short.
function roff(text) {
  gsub(/\\/, "\\e", text)
  gsub(/-/, "\\-", text)
  if (text ~ /^[.']/) text = "\\&" text
  return text
}
function head(name) {
  if (first) print ".SH " name
  else print ".PP\n.B " name
}
function close_example() {
  if (example) print ".fi\n.RE"
  example = 0
}
# An entry of a list: what can be given, in bold, and what it is.
function entry(line, at) {
  sub(/^  /, "", line)
  at = match(line, /  +/)
  term = at ? substr(line, 1, at - 1) : line
  text = at ? substr(line, RSTART + RLENGTH) : ""
  skipped = !first && part == "Options" && term ~ /^(--config|--log-format|-\?)/
  if (skipped) return
  if (!headed) head(toupper(part))
  headed = 1
  print ".TP\n.B " roff(term)
  if (text != "") print roff(text)
}
/^[A-Z][a-z]+:$/ {
  close_example()
  part = substr($0, 1, length($0) - 1)
  headed = 0
  next
}
part == "Description" {
  line = substr($0, 3)
  if (!told) {
    told = 1
    if (first) {
      sentence = line
      sub(/^[^:]*: /, "", sentence)
      sub(/\.$/, "", sentence)
      print ".SH NAME\n" roff(words) " \\- " roff(sentence) "\n.SH SYNOPSIS\n.B " roff(usage) "\n.SH DESCRIPTION"
      sub(/^[^:]*: /, "", line)
      line = toupper(substr(line, 1, 1)) substr(line, 2)
    } else print ".SS " roff(words)
  }
  if (line == "Examples:") {
    print ".PP\nExamples:\n.PP\n.RS\n.nf"
    example = 1
  } else if (line ~ /[^ ]/) print roff(example ? substr(line, 3) : line)
  next
}
part == "Usage" && /[^ ]/ {
  sub(/^ +/, "")
  if (!first) print ".PP\nUsage:\n.B " roff($0)
}
(part == "Options" || part == "Arguments") && /^  [^ ]/ { entry($0) }
(part == "Options" || part == "Arguments") && /^   +[^ ]/ && !skipped {
  sub(/^ +/, "")
  print roff($0)
}
END { close_example() }
