using System.Globalization;
using Twin.Detection.Evaluation;
using Twin.Hardware;

namespace Twin.Silo.Evaluation;

/// <summary>Every meter and day of all sets with its truth: what an evaluation is computed from.</summary>
internal sealed class CaseScoreFile(string path) : IDisposable
{
    private readonly StreamWriter _writer = new(path, append: false, new System.Text.UTF8Encoding(false), 1 << 16)
    {
        NewLine = "\n",
    };

    public void Write(Played played)
    {
        if (Environment.GetEnvironmentVariable("DBG") != null)
        {
            foreach (var r in played.References)
                Console.WriteLine(r.Name + " " + string.Join("; ", r.Cases.Where(c => c.Cause == Cause.Honest)
                    .OrderByDescending(c => c.Score).Take(24).Select(c => $"{played.Everything.First(e => e.Case.Set == c.Set && e.Case.Meter == c.Meter).Home}:{c.Score:0.##}@{Array.IndexOf(c.Days, c.Score)}")));
        }
        _writer.WriteLine("set,meter,home,kind,cause,onset,day,score,top");
        foreach (var (c, home, tops) in played.Everything)
        {
            var head = string.Create(CultureInfo.InvariantCulture,
                $"{c.Set},{c.Meter},{Commands.ScoreFile.Quoted(home)},{c.Kind},{c.Cause.ToString().ToLowerInvariant()}"
                    + $",{c.Onset}");
            for (var d = 0; d < c.Days.Length; d++)
                _writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{head},{LocalDay.FormatDate(played.Plan.FirstDay + d)},{c.Days[d]:0.######},{tops[d]}"));
        }
    }

    public void Dispose() => _writer.Dispose();
}
