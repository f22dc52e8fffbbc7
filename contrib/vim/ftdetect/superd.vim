autocmd BufNewFile,BufRead superd.ini,*/superd.d/*.ini setlocal filetype=superd
