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
