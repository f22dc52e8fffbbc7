# Connections a second over the floor's, by concurrency.
set terminal svg size 960,420 font "sans-serif,12" background 'white'
set output out.'/throughput.svg'
set title 'Connections a second, over the barest loop of accept, vfork and exec'
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.8 border -1
set boxwidth 0.9
set grid ytics
set datafile missing '?'
set yrange [0:*]
set xtics rotate by -20
set key top right title 'connections at once'
plot for [i = 2:last] out.'/throughput.dat' using i:xtic(1) title word('1 8 32 128', i - 1), \
    1 notitle with lines dashtype 2 linecolor black
