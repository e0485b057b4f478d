using System.CommandLine;
using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Silo.Embedded;

namespace Twin.Silo.Commands;

/// <summary>
/// <c>metertwin suppress</c>, <c>work</c>, <c>freeze</c> and <c>thaw</c>: what holds over all cases until it ends.
/// </summary>
internal static class CoverCommands
{
    /// <summary>Findings read for a preview; what there is beyond is said.</summary>
    private const int MaxPreview = 10_000;

    /// <summary>Findings named in a preview; the others are counted.</summary>
    private const int MaxNamed = 20;

    /// <summary>Where, when and why: the flags of both kinds of cover.</summary>
    private sealed class Scope
    {
        public readonly Argument<string> Id = new("id") { Description = "its name; the same name again changes it" };
        public readonly Option<string?> Meter = new("--meter") { Description = "one meter, by its number" };
        public readonly Option<string> Place = new("--place")
        {
            Description = "feeder:F-12, region:…, concentrator:…, model:… or lot:…", DefaultValueFactory = _ => "",
        };
        public readonly Option<string?> From = new("--from") { Description = "from when on (default at once)" };
        public readonly Option<string?> To = new("--to") { Description = "until when" };
        public readonly Option<int> Days = new("--days")
        {
            Description = "how long from then on, where no end is given", DefaultValueFactory = _ => 7,
        };
        public readonly Option<bool> End = new("--end") { Description = "it ends now" };
        public readonly Option<string> Why = new("--why")
        {
            Description = "in your own words", DefaultValueFactory = _ => "",
        };

        public Option[] All => [Meter, Place, From, To, Days, End, Why];

        public async Task<TwinKey?> Subject(EmbeddedFleet fleet, ParseResult p, CancellationToken cancel) =>
            p.GetValue(Meter) is { } name ? (await MeterLookup.Find(fleet, name, cancel)).Twin : null;

        /// <summary>What is ended: the cover of that name, as it is in force.</summary>
        /// <exception cref="ArgumentException">There is none.</exception>
        public async Task<CoverView> Ending(EmbeddedFleet fleet, ParseResult p, bool isWork, CancellationToken cancel)
        {
            var key = PolicyActivation.Twin;
            var covers = await fleet.State(key, null, cancel) is { } state ? PolicyView.From(key, state).Covers : [];
            return Array.Find(covers, c => c.IsWork == isWork && c.Id == p.GetValue(Id)) ?? throw new ArgumentException(
                $"There is no {(isWork ? "planned work" : "suppression")} {p.GetValue(Id)} to end. "
                    + "'metertwin policy show' lists them.");
        }

        public (UnixTime From, UnixTime To) Span(ParseResult p, UnixTime now)
        {
            var from = p.GetValue(From) is { } f ? ActFlags.Time(f) : now;
            var days = p.GetValue(Days);
            if (days is < 1 or > 90) throw new ArgumentException("--days is 1 to 90.");
            return (from, p.GetValue(To) is { } t ? ActFlags.Time(t) : new UnixTime(from.Seconds + days * 86_400L));
        }
    }

    public static Command MakeSuppress()
    {
        var (flags, scope) = (new ActFlags(), new Scope());
        var kind = new Option<string?>("--kind") { Description = "one kind of finding, as clock_drift (default all)" };
        var preview = new Option<bool>("--preview")
        {
            Description = "change nothing; list what it would have hidden in as long a time before now",
        };
        var command = new Command("suppress", "Open no cases for a scope until a time; all of it is still recorded.")
        {
            scope.Id, kind, preview,
        };
        foreach (var option in scope.All) command.Add(option);
        flags.AddTo(command);
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            await using var fleet = flags.Open(p);
            var (at, why) = (flags.At(p), p.GetValue(scope.Why)!);
            if (why.Length == 0 && (p.GetValue(preview) || p.GetValue(scope.End))) why = "not said";
            if (p.GetValue(scope.End))
            {
                var c = await scope.Ending(fleet, p, isWork: false, cancel);
                return await ActFlags.Do(fleet, p, new Suppression(at, flags.By(p), c.Id,
                    c.Kinds is [var one] ? one : null, c.Subject, c.Place, c.From, at, why), cancel);
            }
            var (from, to) = scope.Span(p, at);
            var act = new Suppression(at, flags.By(p), p.GetValue(scope.Id)!,
                p.GetValue(kind) is { } name ? KindOf(name) : null, await scope.Subject(fleet, p, cancel),
                p.GetValue(scope.Place)!, from, to, why);
            return p.GetValue(preview) ? await Preview(fleet, p, act, cancel)
                : await ActFlags.Do(fleet, p, act, cancel);
        }));
        return command;
    }

    public static Command MakeWork()
    {
        var (flags, scope) = (new ActFlags(), new Scope());
        var expect = new Option<string[]>("--expect")
        {
            Description = "kinds of finding that it will cause", AllowMultipleArgumentsPerToken = true,
        };
        var owner = new Option<string>("--owner") { Description = "whose work it is", DefaultValueFactory = _ => "" };
        var command = new Command("work", "Announce planned work: the findings that it will cause attach to it.")
        {
            scope.Id, expect, owner,
        };
        foreach (var option in scope.All) command.Add(option);
        flags.AddTo(command);
        command.SetAction((p, cancel) => Cli.Guarded(async () =>
        {
            await using var fleet = flags.Open(p);
            var (at, note) = (flags.At(p), p.GetValue(scope.Why)!);
            if (p.GetValue(scope.End))
            {
                var c = await scope.Ending(fleet, p, isWork: true, cancel);
                return await ActFlags.Do(fleet, p, new PlannedWork(at, flags.By(p), c.Id, c.Kinds, c.Subject, c.Place,
                    c.From, at, c.Owner, note), cancel);
            }
            var (from, to) = scope.Span(p, at);
            return await ActFlags.Do(fleet, p, new PlannedWork(at, flags.By(p), p.GetValue(scope.Id)!,
                [.. p.GetValue(expect)!.Select(KindOf)], await scope.Subject(fleet, p, cancel),
                p.GetValue(scope.Place)!, from, to, p.GetValue(owner)!, note), cancel);
        }));
        return command;
    }

    public static Command MakeFreeze() => Freeze("freeze", "Stop all that blocks or moves load, everywhere, at once.",
        true);

    public static Command MakeThaw() => Freeze("thaw", "End the freeze; two persons have to.", false);

    private static Command Freeze(string name, string help, bool freeze)
    {
        var flags = new ActFlags();
        var why = new Option<string>("--why") { Description = "in your own words", DefaultValueFactory = _ => "" };
        var command = new Command(name, help) { why };
        flags.AddTo(command);
        command.SetAction((p, cancel) => Cli.Guarded(() => flags.Do(p,
            new FreezeAct(flags.At(p), flags.By(p), freeze, p.GetValue(why)!), cancel)));
        return command;
    }

    private static FindingKind KindOf(string name)
    {
        foreach (var kind in Enum.GetValues<FindingKind>())
            if (Finding.NameOf(kind) == name) return kind;
        throw new ArgumentException($"'{name}' is no kind of finding. "
            + "'metertwin inspect METER' shows kinds, as clock_drift.");
    }

    private static async Task<int> Preview(EmbeddedFleet fleet, ParseResult p, Suppression act,
        CancellationToken cancel)
    {
        if (act.Refusal() is { } refusal) throw new ArgumentException(refusal);
        var from = new UnixTime(act.At.Seconds - (act.To.Seconds - act.From.Seconds));
        var found = await fleet.Findings(new FindingQuery(act.Subject, act.About, from, act.At, MaxPreview), cancel);
        var hidden = new List<Finding>();
        foreach (var finding in found)
            if (act.Place.Length == 0 || await IsAt(fleet, act.Place, finding, cancel)) hidden.Add(finding);
        var kinds = hidden.GroupBy(f => Finding.NameOf(f.Kind)).OrderByDescending(g => g.Count())
            .ToDictionary(g => g.Key, g => g.Count());
        if (p.GetValue(Cli.JsonFlag))
            Cli.Print(new
            {
                From = from.ToString(), To = act.At.ToString(), Findings = hidden.Count,
                Complete = found.Count < MaxPreview,
                Subjects = hidden.DistinctBy(f => f.Subject).Count(), Kinds = kinds,
                First = hidden.Take(MaxNamed).Select(f => new { f.Id, f.SubjectName, f.Sentence }),
            });
        else
        {
            Console.WriteLine($"From {from} to {act.At} it would have covered {hidden.Count} findings on "
                + $"{hidden.DistinctBy(f => f.Subject).Count()} subjects"
                + (found.Count < MaxPreview ? "." : $"; only the newest {MaxPreview} were looked at."));
            foreach (var (kind, count) in kinds) Console.WriteLine($"  {kind}: {count}");
            foreach (var f in hidden.Take(MaxNamed)) Console.WriteLine($"  {f.Id}  {f.Sentence}");
        }
        return Cli.Ok;
    }

    /// <summary>Where the subject is, as its case knows; one without a case is nowhere.</summary>
    private static async Task<bool> IsAt(EmbeddedFleet fleet, string place, Finding finding,
        CancellationToken cancel) =>
        await ActFlags.Find(fleet, CaseKey.Of(finding.Subject, Desks.Of(finding.Kind)), cancel) is { } view
            && PolicyTwin.IsAt(place, view.Context);
}
