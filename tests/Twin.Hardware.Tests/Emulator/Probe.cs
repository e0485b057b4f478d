using System.Diagnostics;
using Twin.Hardware.Emulator;
using Xunit.Abstractions;
namespace Twin.Hardware.Tests.Emulator;
public class Probe(ITestOutputHelper o)
{
    [Fact]
    public void Look()
    {
        var w = new World(new WorldOptions { Seed = 1, Meters = 200, Days = 365, AnomalyShare = 0, LookAlikeShare = 0, Start = new(2024,1,1) });
        var sw = Stopwatch.StartNew();
        var sums = new long[w.Fleet.Count]; var ex = new long[w.Fleet.Count];
        var imp = new int[30*48]; var exp = new int[30*48];
        var month = new long[12]; long we=0, wd=0; var prof = new long[48];
        for (var d = 0; d < 365; d++)
            for (var f = 0; f < w.Feeders.Count; f++)
            {
                var fd = w.Feeders[f];
                w.FeederDay(d, f, imp, exp);
                for (var i = 0; i < fd.MeterCount; i++) for (var s = 0; s < 48; s++) { var v = imp[i*48+s]; sums[fd.FirstMeter+i] += v; if (i>0) { month[d*12/365]+=v; if (w.LocalDay(d).IsWeekend) we+=v; else wd+=v; prof[s]+=v; if (exp[i*48+s]!=int.MinValue) ex[fd.FirstMeter+i]+=exp[i*48+s];} }
            }
        var el = sw.Elapsed;
        o.WriteLine($"{w.Fleet.Count*365*48/el.TotalSeconds/1e6:0.00} M/s");
        var homes = Enumerable.Range(0, sums.Length).Where(i => w.Fleet[i].Role == MeterRole.Customer).Select(i => sums[i]/1000).Order().ToArray();
        o.WriteLine($"min {homes[0]} p5 {homes[10]} med {homes[100]} mean {homes.Average():0} p95 {homes[190]} max {homes[^1]}");
        o.WriteLine("months " + string.Join(' ', month.Select(m => m/1000/200)));
        o.WriteLine($"we/wd {we/104.0/(wd/261.0):0.00}");
        o.WriteLine("prof W " + string.Join(' ', prof.Select(m => m*2/365/200)));
        o.WriteLine("export " + string.Join(' ', ex.Where(e=>e>0).Select(e => e/1000)));
        var b = new int[48]; BenchLoad.FillDay(1,1,1,b);
        sw.Restart(); long t=0;
        for (var i=0;i<2_000_000;i++){ BenchLoad.FillDay(1,(ulong)i%1000,i/1000,b); t+=b[i%48]; }
        o.WriteLine($"bench {2_000_000*48/sw.Elapsed.TotalSeconds/1e6:0} M/s {t/2e6:0}");
    }
}
