using Twin.Grains;
using Twin.Silo.Bench;
using Twin.Silo.Embedded;

var n = int.Parse(args[0]); var d = int.Parse(args[1]);
var dir = Directory.CreateTempSubdirectory("mt").FullName;
var fleet = EmbeddedFleet.Open(new EmbeddedOptions { DataPath = dir + "/d" , Shards = 2}, new TwinFactory(), Console.Error.WriteLine);
var meters = Enumerable.Range(0, n).Select(IngestBench.Meter).ToArray();
var sw = System.Diagnostics.Stopwatch.StartNew();
await IngestBench.Register(fleet, meters);
Console.WriteLine($"register {sw.Elapsed.TotalSeconds:f2}s");
for (var day = 0; day < d; day += 5) { var t0 = Environment.CpuUsage.TotalTime; var f = await IngestBench.Load(fleet, meters, day, Math.Min(d, day + 5)); Console.WriteLine($"{f.Readings} {f.Readings / f.Seconds / 1e6:f2} M/s cpu {(Environment.CpuUsage.TotalTime-t0).TotalSeconds:f1} wall {f.Seconds:f1} rss {Environment.WorkingSet / 1e6:f0} MB heap {GC.GetTotalMemory(false)/1e6:f0} status {fleet.Status.Findings} {fleet.Status.StorageError}"); }
sw.Restart();
Console.WriteLine(await fleet.StateHash(default) + $" hash {sw.Elapsed.TotalSeconds:f2}s");
await fleet.Compact();
Console.WriteLine($"{fleet.Status} {new FileInfo(dir + "/d/journal.db").Length / (double)fleet.Status.Readings:f3} B/reading");
sw.Restart(); await fleet.DisposeAsync(); Console.WriteLine($"dispose {sw.Elapsed.TotalSeconds:f2}");
foreach (var f in Directory.GetFiles(dir + "/d")) Console.WriteLine(f + " " + new FileInfo(f).Length);
sw.Restart(); fleet = EmbeddedFleet.Open(new EmbeddedOptions { DataPath = dir + "/d" , Shards = 2}, new TwinFactory(), Console.Error.WriteLine); Console.WriteLine($"reopen {sw.Elapsed.TotalSeconds:f2}s {await fleet.StateHash(default)}"); await fleet.DisposeAsync();
sw.Restart(); var v = Verifier.Run(dir + "/d", 2, new TwinFactory(), Console.Error.WriteLine); Console.WriteLine($"verify {sw.Elapsed.TotalSeconds:f2}s {v.StateHash} {v.Differences.Count} {string.Join("; ", v.Differences.Take(5))}");
Directory.Delete(dir, true);
return 0;
