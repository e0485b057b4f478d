using System.CommandLine;
using System.Globalization;
using Twin.Grains;
using Twin.Hardware;
using Twin.Silo.Storage;
using Twin.Silo.WhatIf;

namespace Twin.Silo.Commands;

/// <summary><c>metertwin policy whatif</c>: another policy on the recorded past.</summary>
internal static class WhatIfCommand
{
    /// <summary>Cases that are listed; the others are counted.</summary>
    private const int MaxListed = 20;

    public static Command Make()
    {
        var (data, shards, file) = (Cli.Flag("data"), Cli.Flag("shards"), PolicyCommand.File());
        var since = new Option<string?>("--since") { Description = "in force from then on (default: all along)" };
        var command = new Command("whatif",
            "Run a recorded past through another policy; show what would have been otherwise. Changes nothing.")
        {
            file, since, data, shards, Cli.JsonFlag,
        };
        command.SetAction((p, _) => Cli.Guarded(() =>
        {
            if (PolicyCommand.Read(p.GetValue(file)!, out var text) is null) return Task.FromResult(Cli.Unusable);
            var settings = Cli.Settings(p, data, shards);
            UnixTime? from = p.GetValue(since) is { } time ? ActFlags.Time(time) : null;
            using var directory = DataDirectory.Open(settings.Data, mustExist: true);
            using var journal = new SqliteJournal(directory.JournalFile);
            var line = new ProgressLine();
            var (end, pass) = (journal.Position, 1);
            var run = new WhatIfRun
            {
                Journal = journal, Folder = directory.Path, Shards = settings.Shards, Factory = new TwinFactory(),
                Log = Cli.Message,
                Progress = at => line.Show(() => string.Create(CultureInfo.InvariantCulture,
                    $"run {pass} of 2: {at:n0} of {end:n0} inputs")),
            };
            var recorded = run.AsRecorded();
            pass = 2;
            var other = run.Under(recorded, text, from, out var leftOut);
            line.Done();
            if (p.GetValue(Cli.JsonFlag)) Cli.Print(Json(recorded, other, leftOut));
            else Print(recorded, other, leftOut);
            return Task.FromResult(Cli.Ok);
        }));
        return command;
    }

    internal static IEnumerable<(string What, double Recorded, double Other)> Rows(AnswerFigures a, AnswerFigures b)
    {
        foreach (var desk in a.Cases.Keys.Union(b.Cases.Keys).Order())
            yield return ($"cases of {Twin.Grains.Cases.Desks.NameOf(desk)}", a.Cases.GetValueOrDefault(desk),
                b.Cases.GetValueOrDefault(desk));
        foreach (var (what, x, y) in ((string, SortedDictionary<ResponseRung, int>,
            SortedDictionary<ResponseRung, int>)[])[("proposed", a.Proposed, b.Proposed),
            ("ordered", a.Ordered, b.Ordered), ("taken back", a.TakenBack, b.TakenBack)])
            foreach (var rung in x.Keys.Union(y.Keys).Order())
                yield return ($"{SnakeCase.Of(rung)} {what}", x.GetValueOrDefault(rung), y.GetValueOrDefault(rung));
        yield return ("wait for persons", a.WaitForPersons, b.WaitForPersons);
        yield return ("quarantined", a.Quarantined, b.Quarantined);
        yield return ("customers off or limited", a.Customers, b.Customers);
        yield return ("customer minutes off", a.MinutesOff, b.MinutesOff);
        yield return ("customer minutes limited", a.MinutesLimited, b.MinutesLimited);
        yield return ("kWh not delivered", a.KilowattHours, b.KilowattHours);
    }

    /// <summary>Cases that one policy opened and the other did not, or that it answered otherwise.</summary>
    internal static List<(CaseEnd? Recorded, CaseEnd? Other)> Differing(AnswerFold a, AnswerFold b)
    {
        var others = b.Cases().ToDictionary(c => c.Id);
        var found = new List<(CaseEnd?, CaseEnd?)>();
        foreach (var c in a.Cases())
        {
            var o = others.Remove(c.Id, out var there) ? there : null;
            if (o is null || (c.IsOpened, c.Strongest) != (o.IsOpened, o.Strongest)) found.Add((c, o));
        }
        found.AddRange(others.Values.OrderBy(c => c.Id, StringComparer.Ordinal)
            .Select(c => ((CaseEnd?)null, (CaseEnd?)c)));
        return found;
    }

    private static void Print(AnswerFold recorded, AnswerFold other, int leftOut)
    {
        var c = CultureInfo.InvariantCulture;
        Console.WriteLine($"{"",-40}{"recorded",12}{"this policy",14}{"change",12}");
        foreach (var (what, x, y) in Rows(recorded.Figures(), other.Figures()))
            Console.WriteLine(string.Create(c, $"{what,-40}{x,12:#,0.#}{y,14:#,0.#}{y - x,12:+#,0.#;-#,0.#;0}"));
        Console.WriteLine("Assumed: an order that the record does not have is done at once; one that it has fares "
            + "as it did.");
        if (leftOut > 0)
            Console.WriteLine(string.Create(c, $"{leftOut:n0} recorded acts and outcomes speak of what this policy did "
                + $"not do, and were left out."));
        var differing = Differing(recorded, other);
        Console.WriteLine(differing.Count == 0 ? "No case comes out otherwise."
            : string.Create(c, $"{differing.Count:n0} cases come out otherwise:"));
        foreach (var (x, y) in differing.Take(MaxListed))
            Console.WriteLine($"  {(x ?? y)!.Id}  {(x ?? y)!.Subject}: {Words(x)} → {Words(y)}");
        if (differing.Count > MaxListed)
            Console.WriteLine(string.Create(c, $"  and {differing.Count - MaxListed:n0} more (--json has all)"));
    }

    private static string Words(CaseEnd? c) => c is null ? "no case"
        : $"{(c.IsOpened ? "case" : "record only")}, {SnakeCase.Of(c.Strongest)}";

    /// <param name="recorded">The record as it is.</param>
    /// <param name="other">Under the other policy.</param>
    /// <param name="leftOut">Acts and outcomes that no longer fit.</param>
    /// <param name="notes">What a person should know of the run.</param>
    internal static object Json(AnswerFold recorded, AnswerFold other, int leftOut,
        IReadOnlyList<string>? notes = null) => new
        {
            Notes = notes ?? [],
            Figures = Rows(recorded.Figures(), other.Figures()).Select(r => new
            {
                r.What, r.Recorded, ThisPolicy = r.Other,
            }),
            LeftOut = leftOut,
            Cases = Differing(recorded, other).Select(d => new
            {
                (d.Recorded ?? d.Other)!.Id, (d.Recorded ?? d.Other)!.Subject, Recorded = Words(d.Recorded),
                ThisPolicy = Words(d.Other), Sentence = d.Other?.Sentence ?? d.Recorded!.Sentence,
            }),
        };
}
