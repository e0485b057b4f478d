using System.Globalization;
using Xunit.Abstractions;
namespace Twin.Detection.Tests.Evaluation;
public sealed class DebugTests(ITestOutputHelper output)
{
    [Fact]
    public void Dbg()
    {
        var homes = RecordedHomes.Load()!;
        var pool = homes.Where((_, i) => i % 2 == 0).ToArray();
        Protocol.After = (d, f, hs, st, n, fd) =>
        {
            if (f > 2 || true || d % 15 != 1 || d < 20) return;
            output.WriteLine($"d{d} f{f} stmt={fd.IsStatement} loss={fd.LossShare:0.000} usual={fd.UsualLossShare:0.000} " + string.Join(' ', Enumerable.Range(0, fd.SuspectCount).Select(i => $"{hs[(int)fd.Suspect(i).Meter.Value - 1].Kind}@{hs[(int)fd.Suspect(i).Meter.Value - 1].Onset}={fd.Suspect(i).Strength:0.0}/{fd.Suspect(i).WhPerDay:0}")));
            if (d == 31) output.WriteLine("   " + string.Join(' ', hs.Skip(st).Take(n).Where(h => h.Cause != Cause.Honest).Select(h => h.Kind + "@" + h.Onset)));
        };
        var all = new List<Outcome>();
        for (var i = 0; i < 8; i++) all.AddRange(Protocol.Run(pool, 20_090_301 + (ulong)i, false));
        foreach (var g in all.GroupBy(o => o.Kind))
        {
            var v = g.Select(o => o.PieceMax[Pieces.Feeder] * Pieces.HonestHundredth[Pieces.Feeder]).Order().ToArray();
            output.WriteLine(g.Key + " n=" + v.Length + " " + string.Join(' ', new[] { .1, .25, .5, .75, .9, .95, .99 }.Select(q => v[(int)(q * (v.Length - 1))].ToString("0.0", CultureInfo.InvariantCulture))));
        }
        foreach (var o in all.Where(o => o.Cause == Cause.Honest).OrderByDescending(o => o.Score).Take(40))
            output.WriteLine($"{o.Score:0.00} " + string.Join(' ', Enumerable.Range(0, Pieces.Count).Where(i => o.PieceMax[i] > 0.4).Select(i => $"{Pieces.Names[i]}={o.PieceMax[i]:0.00}")));
    }
}
