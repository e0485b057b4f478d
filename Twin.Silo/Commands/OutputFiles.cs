using System.Globalization;
using System.Text.Json;
using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Engine;
using Twin.Silo.Embedded;
using Twin.Silo.Storage;

namespace Twin.Silo.Commands;

/// <summary><c>meter,day,score,top</c>: every meter and local day, as it stood when the day closed.</summary>
internal sealed class ScoreFile : IDisposable
{
    private readonly StreamWriter _writer;

    public ScoreFile(string path)
    {
        _writer = new StreamWriter(path, append: false, new System.Text.UTF8Encoding(false), 1 << 16)
        {
            NewLine = "\n",
        };
        _writer.WriteLine("meter,day,score,top");
    }

    public void Write(ReadOnlyMemory<byte> score)
    {
        var s = DayScore.Read(score.Span);
        _writer.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{Quoted(s.Name)},{LocalDay.FormatDate(s.Day)},{s.Score:0.######},{s.Top}"));
    }

    public static string Quoted(string name) =>
        name.AsSpan().IndexOfAny(",\"\n\r") < 0 ? name : "\"" + name.Replace("\"", "\"\"") + "\"";

    /// <summary>Scores of the whole journal, from its base: what a replay in several runs has to write.</summary>
    public static void Rebuild(string data, int shards, ScoreFile to)
    {
        var factory = new TwinFactory();
        using var directory = DataDirectory.Open(data, mustExist: true);
        using var journal = new SqliteJournal(directory.JournalFile);
        using var host = new TwinHost(shards, factory, keepScores: true);
        void Spill(Consequences c)
        {
            foreach (var score in c.Scores) to.Write(score);
            c.Clear();
        }
        var consequences = new Consequences();
        Rebuilder.FromBase(host, journal, directory.Path, factory.JudgingVersion, consequences, Cli.Message, Spill);
        Spill(consequences);
    }

    public void Dispose() => _writer.Dispose();
}

/// <summary>One finding a line, in the order of detection.</summary>
internal static class FindingFile
{
    public static async Task Write(EmbeddedFleet fleet, string path)
    {
        var all = new List<Finding>();
        fleet.Journal.VisitFindings(body => all.Add(Finding.Read(body)));
        all.Sort((a, b) => a.DetectedAt != b.DetectedAt ? a.DetectedAt.CompareTo(b.DetectedAt)
            : string.CompareOrdinal(a.Id, b.Id));
        await using var writer = new StreamWriter(path, append: false, new System.Text.UTF8Encoding(false))
        {
            NewLine = "\n",
        };
        foreach (var f in all) await writer.WriteLineAsync(JsonSerializer.Serialize(Line.Of(f), Cli.JsonLine));
    }

    /// <summary>A finding as written in files.</summary>
    public sealed record Line(string Id, string Subject, string SubjectId, string Kind, string From, string To,
        string DetectedAt, double Score, string Severity,
        double Confidence, IReadOnlyList<Evidence> Evidence, IReadOnlyList<string> CounterEvidence, string? Technique,
        string Detector, string Sentence)
    {
        public static Line Of(Finding f) =>
            new(f.Id, f.SubjectName, f.Subject.ToString(), Finding.NameOf(f.Kind), f.From.ToString(), f.To.ToString(),
            f.DetectedAt.ToString(), Math.Round(f.Score, 6), f.Severity.ToString().ToLowerInvariant(),
            Math.Round(f.Confidence, 4), f.Evidence, f.CounterEvidence,
            f.Technique.Length == 0 ? null : f.Technique, $"{f.Detector}/{f.DetectorVersion}", f.Sentence);
    }
}
