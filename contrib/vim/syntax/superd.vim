" Vim syntax file: superd.ini(5)
" Copy contrib/vim/* to ~/.vim/.

if exists('b:current_syntax')
	finish
endif

syntax case match
syntax match superdWrong "^[^;#[ \t][^=]*$"
syntax match superdKey "^[^;#[ \t=][^=]*\ze=" contains=superdKnown
syntax match superdComment "^\s*[;#].*$"
syntax match superdComment "\s;.*$"
syntax match superdHeading "^\[[A-Za-z0-9._-]\{1,32}\]"
syntax match superdCommon "^\[\(superd\|services\|defaults\)\]"
syntax region superdText start=+"+ skip=+\\.+ end=+"+ oneline
syntax region superdText start=+'+ end=+'+ oneline
syntax match superdNumber "\<\d\+\(ms\|[smhdkMG]\)\?\>"
syntax match superdNumber "\<\d\+/[smhd]\(:\d\+\)\?\>"
syntax match superdNumber "\<\d\d\?:\d\d-\d\d\?:\d\d\>"
syntax match superdFile "\s\zs@/\S\+"
syntax keyword superdWord yes no on off true false none unlimited always all
	\ localhost queue refuse
syntax keyword superdKnown contained
	\ allow argv0 backlog banner banner_refused chdir chroot defer_accept
	\ deny device dscp enabled env exec grace group hours idle_timeout
	\ include inetd_conf keepalive limit_as limit_core limit_cpu limit_data
	\ limit_fsize limit_memlock limit_nofile limit_nproc limit_stack listen
	\ log log_format log_level log_remote log_sessions max_load
	\ max_per_source max_sessions nice no_new_privs nodelay pass_env
	\ pid_file rate rate_per_source rcvbuf sensor service_dir sndbuf
	\ socket_group socket_mode socket_user source_prefix stderr timeout
	\ traffic umask user user_timeout wait when_full

highlight default link superdWrong Error
highlight default link superdKey Identifier
highlight default link superdKnown Keyword
highlight default link superdComment Comment
highlight default link superdHeading Type
highlight default link superdCommon PreProc
highlight default link superdText String
highlight default link superdNumber Number
highlight default link superdWord Constant
highlight default link superdFile Include

let b:current_syntax = 'superd'
