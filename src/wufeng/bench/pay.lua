-- wrk's script: each request pays another order by another person. Arguments: the file of requests, the name of the run.
local people, bodies, run, number = {}, {}, "", 0

function init(args)
   for line in io.lines(args[1]) do
      local authorization, body = line:match('^%["([^"]+)","(.*)"%]$')
      people[#people + 1] = authorization
      bodies[#bodies + 1] = body:gsub('\\"', '"')
   end
   run = args[2]
   wrk.method = "POST"
end

function request()
   number = number + 1
   local place = number % #people + 1
   local name = run .. "-" .. number
   local headers = {
      ["Authorization"] = people[place],
      ["Idempotency-Key"] = name,
      ["Content-Type"] = "application/json",
   }
   return wrk.format(nil, nil, headers, (bodies[place]:gsub("@", name, 1)))
end

function done(summary, latency, _)
   io.write(string.format(
      'WUFENG {"answers":%d,"seconds":%.3f,"p50_ms":%.3f,"p99_ms":%.3f,"max_ms":%.3f,"refused":%d,"lost":%d}\n',
      summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
      latency.max / 1e3, summary.errors.status,
      summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
