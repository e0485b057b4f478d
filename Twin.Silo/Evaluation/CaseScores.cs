using System.Globalization;
using Twin.Hardware;

namespace Twin.Silo.Evaluation;

/// <summary>Every meter and day of all sets with its truth: what an evaluation is computed from. CSV.</summary>
internal static class CaseScores
{
    public static void Write(TextWriter to, Played played)
    {
        to.WriteLine("set,meter,home,kind,cause,onset,day,score,top");
        foreach (var (c, home, tops) in played.Everything)
        {
            var head = string.Create(CultureInfo.InvariantCulture,
                $"{c.Set},{c.Meter},{Commands.ScoreFile.Quoted(home)},{c.Kind},{c.Cause.ToString().ToLowerInvariant()}"
                    + $",{c.Onset}");
            for (var d = 0; d < c.Days.Length; d++)
                to.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"{head},{LocalDay.FormatDate(played.Plan.FirstDay + d)},{c.Days[d]:0.######},{tops[d]}"));
        }
    }
}
