using System;
using System.Collections.Generic;
using System.Text;

namespace HpAsyncPs.Cli.Completing;

/// <summary>The scripts for bash and zsh: a function that goes through the words to find which command they call, and has a branch for each.</summary>
internal static class CaseScript
{
    private const string Head = "# Completes the command lines of hpaps, hpaps-server and hpaps-worker. Made by 'hpaps completion'.\n";

    // COMP_WORDS is split at each of COMP_WORDBREAKS: not so what follows, or asp:sgd and --policy=bsp would be three words.
    private const string BashBegin = """
        _hpaps() {
          local line=${COMP_LINE:0:COMP_POINT} place word words option='' current before='' broken='' commands='' options='' kind='' values=''
          read -ra words <<<"$line"
          [[ $line != *[[:space:]] ]] || words+=('')
          current=${words[${#words[@]} - 1]}
          place=${words[0]##*/}
          for word in "${words[@]:1:${#words[@]}-2}"; do
            option=$word
            case "$place $word" in
              @places@) place+=" $word" ;;
            esac
          done
          if [[ $current == --*=* ]]; then
            option=${current%%=*} before=${current%%=*}= current=${current#*=}
          fi
          case $place in

        """;

    // The shell puts replies in the place of the last piece of what was typed.
    private const string BashEnd = """
          esac
          [[ -n $before || $current != -* ]] || kind='' # what begins with a dash is an option, also behind one that needs no value
          case $kind in
            words) mapfile -t COMPREPLY < <(compgen -W "$values" -- "$current") ;;
            file) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
            folder) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
            any) COMPREPLY=() ;;
            *)
              [[ -n $commands && $current != -* ]] || commands=$options
              mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
              ;;
          esac
          for word in = :; do
            [[ $COMP_WORDBREAKS == *"$word"* && $before$current == *"$word"* ]] || continue
            word=${before}${current%"${current##*"$word"}"}
            if ((${#word} > ${#broken})); then broken=$word; fi
          done
          for word in "${!COMPREPLY[@]}"; do
            COMPREPLY[word]=$before${COMPREPLY[word]}
            COMPREPLY[word]=${COMPREPLY[word]#"$broken"}
          done
        }
        complete -F _hpaps hpaps hpaps-server hpaps-worker

        """;

    private const string ZshBegin = """
        _hpaps() {
          local place=${words[1]:t} word option='' current=${words[CURRENT]} kind=''
          local -a commands options values
          for word in "${(@)words[2,CURRENT-1]}"; do
            option=$word
            case "$place $word" in
              @places@) place+=" $word" ;;
            esac
          done
          if [[ $current == --*=* ]]; then
            option=${current%%=*}
            compset -P '*='
          fi
          case $place in

        """;

    private const string ZshEnd = """
          esac
          [[ $current == --*=* || $current != -* ]] || kind=''
          case $kind in
            words) compadd -- $values ;;
            file) _files ;;
            folder) _files -/ ;;
            any) ;;
            *)
              if (($#commands)) && [[ $current != -* ]]; then
                _describe command commands
              else
                _describe -o option options
              fi
              ;;
          esac
        }
        if [[ $funcstack[1] == _hpaps ]]; then
          _hpaps "$@"
        else
          compdef _hpaps hpaps hpaps-server hpaps-worker
        fi

        """;

    /// <summary>For bash 4.2 and later.</summary>
    /// <param name="commands">All commands.</param>
    public static string Bash(IReadOnlyList<CompletedCommand> commands) => Of(Head + BashBegin, BashEnd, commands, isBash: true);

    /// <summary>For zsh.</summary>
    /// <param name="commands">All commands.</param>
    public static string Zsh(IReadOnlyList<CompletedCommand> commands) => Of("#compdef hpaps hpaps-server hpaps-worker\n" + Head + ZshBegin, ZshEnd, commands, isBash: false);

    private static string Of(string begin, string end, IReadOnlyList<CompletedCommand> commands, bool isBash)
    {
        var places = new List<string>();
        foreach (CompletedCommand command in commands)
        {
            if (command.Words.Contains(' ', StringComparison.Ordinal))
                places.Add(Quoted(command.Words));
        }

        StringBuilder script = new StringBuilder(begin).Replace("@places@", string.Join(" | ", places));
        foreach (CompletedCommand command in commands)
        {
            script.Append($"    {Quoted(command.Words)})\n");
            var below = new List<string>();
            foreach ((string name, string description) in command.Commands)
                below.Add(isBash ? name : Described(name, description));
            var options = new List<string>();
            foreach (CompletedOption option in command.Options)
            {
                foreach (string name in option.Names)
                    options.Add(isBash ? name : Described(name, option.Description));
            }

            if (below.Count > 0)
                script.Append($"      commands={List(below, isBash)}\n");
            script.Append($"      options={List(options, isBash)}\n      case $option in\n");
            AddValues(script, command, isBash);
            script.Append("      esac\n      ;;\n");
        }

        return script.Append(end).ToString();
    }

    private static void AddValues(StringBuilder script, CompletedCommand command, bool isBash)
    {
        foreach (ValueKind kind in (ValueKind[])[ValueKind.Any, ValueKind.File, ValueKind.Folder])
        {
            var names = new List<string>();
            foreach (CompletedOption option in command.Options)
            {
                if (option.Kind == kind)
                    names.AddRange(option.Names);
            }

            if (names.Count > 0)
                script.Append($"        {string.Join(" | ", names)}) kind='{Enum.GetName(kind)!.ToLowerInvariant()}' ;;\n");
        }

        foreach (CompletedOption option in command.Options)
        {
            if (option.Kind != ValueKind.Words)
                continue;
            script.Append($"        {string.Join(" | ", option.Names)}) kind='words' values={List(option.Words, isBash)} ;;\n");
        }
    }

    private static string List(IReadOnlyList<string> words, bool isBash) => isBash ? Quoted(string.Join(' ', words)) : $"({string.Join(' ', words)})";

    private static string Described(string name, string description) => Quoted($"{name.Replace(":", "\\:", StringComparison.Ordinal)}:{description}");

    private static string Quoted(string text) => $"'{text.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
