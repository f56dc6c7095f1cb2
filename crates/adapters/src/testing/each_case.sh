
# Each line of `in/cases` is a case and its script. `current` and `results` tell how far it came.
BEFORE="timeout --signal=KILL $(cat in/seconds)"
while read -r name script; do
	echo "$name" >out/current
	echo 0 >out/status
	began=$(date +%s%3N)
	# A case that reads would take the names of those that follow.
	{ inside "$script" "$name" </dev/null || echo $? >out/status; } 2>&1 | head -c 16M >"out/$name.log"
	echo "$name $(cat out/status) $(($(date +%s%3N) - began))" >>out/results
done <in/cases
echo >out/current
