// The shells' sides of completion. All three ask `PROGRAM __complete` and read cobra's answer, so that they serve Docker's
// client as well as ours.

export const bashScript = (program: string): string => `# bash completion for ${program}
_${id(program)}() {
    local cur words cword line directive=0
    COMPREPLY=()
    if declare -F _comp_initialize >/dev/null; then
        _comp_initialize -n "=:" || return
    elif declare -F _init_completion >/dev/null; then
        _init_completion -n "=:" || return
    else
        cur=\${COMP_WORDS[COMP_CWORD]} words=("\${COMP_WORDS[@]}") cword=$COMP_CWORD
    fi
    while IFS= read -r line; do
        case $line in
            :[0-9]*) directive=\${line#:} ;;
            *) COMPREPLY+=("\${line%%$'\\t'*}") ;;
        esac
    done < <("\${words[0]}" __complete "\${words[@]:1:cword-1}" "$cur" 2>/dev/null)
    if ((\${#COMPREPLY[@]} == 0 && (directive & 4) == 0)); then
        COMPREPLY=($(compgen -f -- "$cur"))
        compopt -o filenames 2>/dev/null
    fi
    # Readline takes a colon for the end of a word.
    if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
        local head=\${cur%"\${cur##*:}"} i
        for i in "\${!COMPREPLY[@]}"; do COMPREPLY[i]=\${COMPREPLY[i]#"$head"}; done
    fi
}
complete -F _${id(program)} ${program}
`;

export const zshScript = (program: string): string => `#compdef ${program}
# zsh completion for ${program}
_${id(program)}() {
    local line directive=0 word
    local -a candidates
    while IFS= read -r line; do
        case $line in
            :[0-9]*) directive=\${line#:} ;;
            *)
                word=\${line%%$'\\t'*}
                if [[ $line == *$'\\t'* ]]; then
                    candidates+=("\${word//:/\\\\:}:\${line#*$'\\t'}")
                else
                    candidates+=("\${word//:/\\\\:}")
                fi ;;
        esac
    done < <("\${words[1]}" __complete "\${(@)words[2,CURRENT-1]}" "\${words[CURRENT]}" 2>/dev/null)
    if (( \${#candidates} )); then
        _describe -V 'completions' candidates
    elif (( (directive & 4) == 0 )); then
        _files
    fi
}
compdef _${id(program)} ${program}
# Sourced it only defines; autoloaded it is the completer itself.
if [ "$funcstack[1]" = "_${id(program)}" ]; then
    _${id(program)}
fi
`;

export const fishScript = (program: string): string => `# fish completion for ${program}
function __${id(program)}_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l answer ($words[1] __complete $words[2..-1] $current 2>/dev/null)
    set -l directive 0
    for line in $answer
        if string match -qr '^:[0-9]+$' -- $line
            set directive (string sub -s 2 -- $line)
        else
            echo $line
        end
    end
    if test (count $answer) -le 1; and test $directive -eq 0
        __fish_complete_path $current
    end
end
complete -c ${program} -f -a '(__${id(program)}_complete)'
`;

const id = (program: string): string => program.replace(/[^a-zA-Z0-9_]/g, '_');
