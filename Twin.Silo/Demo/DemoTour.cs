using System.Globalization;
using Twin.Api;
using Twin.Grains;
using Twin.Grains.Cases;
using Twin.Grains.Ledger;
using Twin.Hardware;
using Twin.Hardware.Emulator;

namespace Twin.Silo.Demo;

/// <summary>
/// Five minutes through what the demo has recorded. Each step is made when it is asked for, of what the twins say then;
/// one whose subject is not there yet is left out.
/// </summary>
internal sealed class DemoTour(IFleet twins, DemoScene scene, string data)
{
    private const int Week = 7;

    public async ValueTask<IReadOnlyList<TourStep>> Steps(CancellationToken cancel)
    {
        TourStep?[] all =
        [
            await Flagship(cancel), await LookAlike(cancel), await Commands(cancel), Slider(), Restart(), WhatIf(),
        ];
        return [.. all.OfType<TourStep>()];
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private async ValueTask<CaseSnapshot?> CaseOf(TwinKey subject, Desk desk, CancellationToken cancel)
    {
        var key = CaseKey.Of(subject, desk);
        return await twins.State(key, null, cancel) is { } state && CaseView.From(key, state).Case is
        { FindingCount: > 0 } found ? found : null;
    }

    private async ValueTask<TourStep?> Flagship(CancellationToken cancel)
    {
        foreach (var meter in scene.Release)
            if (await CaseOf(scene.KeyOf(meter), Desk.Security, cancel) is { } found)
                return new TourStep("flagship", "An attack that every cryptographic check passes",
                    Text($"{scene.Release.Length} meters run a release that is signed, registered and rolled out in ")
                    + "order. It sends more and answers later: somebody put something into it before it was signed.\n"
                    + "The case puts two columns side by side: what cryptography says (all in order), and what the "
                    + "twin says, which knows how these meters behaved before.\n"
                    + "Below it: why the policy does what it does, why nothing milder, why nothing harsher.",
                    $"/cases/{found.Id}");
        return null;
    }

    private async ValueTask<TourStep?> LookAlike(CancellationToken cancel)
    {
        var told = scene.LookAlikesBy(twins.Status.Watermark ?? default)
            .OrderBy(l => l.Label.Kind == LabelKind.NewEv ? 0 : 1).FirstOrDefault();
        if (told.Label is null) return null;
        var meter = new MeterId(told.Meter.Id);
        var day = scene.Begin(told.Label.FromDay);
        var (before, after) = (await Mean(meter, day, -Week, cancel), await Mean(meter, day, Week, cancel));
        var grave = (await twins.Findings(new FindingQuery(told.Meter, null, day, null, 100), cancel))
            .Count(f => f.Severity > Attacks.AttackScore.Note);
        var what = told.Label.Kind == LabelKind.NewEv ? "an electric car is charged here" : told.Label.Note;
        return new TourStep("look-alike", "A change that is deliberately not flagged",
            Text($"Since {day} {what}: {before:0.0} kWh a day in the week before, ")
            + Text($"{after:0.0} in the week from then on. Findings about it above a note: {grave}.\n")
            + "Why not? Theft makes a meter count less than its home uses, and then the feeder's own meter misses "
            + "what this one hides. Here nothing is missing: the feeder's balance agrees, and more is counted, not "
            + "less. A change alone is no evidence.\nChoose a purpose to see the load curve with the band of what was "
            + "expected.",
            Text($"/meters/{meter}?from={new UnixTime(day.Seconds - 14 * 86_400)}")
            + Text($"&to={new UnixTime(day.Seconds + 14 * 86_400)}"));
    }

    /// <summary>Mean energy of the days before (or from) an instant on, kWh a day; not a number without readings.
    /// </summary>
    private async ValueTask<double> Mean(MeterId meter, UnixTime at, int days, CancellationToken cancel)
    {
        var day = (int)(at.Seconds / 86_400);
        var (sum, count) = (0L, 0);
        await twins.Series(meter, Channel.Import, days < 0 ? day + days : day, days < 0 ? day - 1 : day + days - 1,
            (_, _, slots, _) =>
            {
                count++;
                foreach (var slot in slots) sum += Math.Max(0, slot);
            }, cancel);
        return count == 0 ? double.NaN : sum / 1_000.0 / count;
    }

    private async ValueTask<TourStep?> Commands(CancellationToken cancel)
    {
        var held = (await twins.Findings(new FindingQuery(null, FindingKind.CommandsQuarantined, null, null, 1),
            cancel)).FirstOrDefault();
        if (held is null || await CaseOf(held.Subject, Desk.Grid, cancel) is not { } found) return null;
        var watts = held.Evidence.FirstOrDefault(e => e.Feature == "load_held").Observed;
        var ordered = twins.Ledger.EntriesAfter(0).Where(e => e.Entry.Kind == LedgerKind.Order)
            .Select(e => ResponseRecord.Read(e.Entry.Body))
            .Count(r => r.Rung == ResponseRung.Disconnect && r.RequestedBy.Person == District.Employee.Person);
        return new TourStep("commands", Text($"{scene.Disconnections:n0} disconnections by a valid account"),
            "j.doe has an account at the head-end and asks for a disconnection of every meter: "
            + Text($"{scene.Disconnections:n0} commands. Nothing is forged, and no check of a signature or a ")
            + "login fails.\n"
            + Text($"They are held, and {ordered} went out: {watts / 1e6:0.0} MW stay on, as the guards count it ")
            + "(3 kW where no load is known). It is one case, not thousands; two persons may say process, and even "
            + "then the budgets of feeder, region and fleet hold.",
            $"/cases/{found.Id}");
    }

    private TourStep Slider()
    {
        var meter = new MeterId(scene.KeyOf(scene.Thief).Id);
        var before = scene.Begin(DemoScene.TheftDay - 1);
        return new TourStep("slider", "The same meter, before and after",
            Text($"On day {DemoScene.TheftDay + 1} nine tenths of what is used here begin to flow around the meter. ")
            + "The slider shows the twin as it was on any day; here it stands on the day before.\n"
            + "Move it by the arrow keys. \"As it was known then\" leaves out what came in later: what could the "
            + "analyst of that day have seen?",
            Text($"/meters/{meter}?at={before}"));
    }

    private TourStep Restart() => new("restart", "Kill it",
        "What was acknowledged is durable, and the same input gives the same twins. Note the digest of all state, "
        + "kill the process, and have everything rebuilt from the journal: the digest that verify prints is "
        + "that of the state at the kill.\n"
        + "The demo goes on while you read, so ask for the digest just before. Then serve takes the directory up "
        + "again.", null)
    {
        Commands =
        [
            Text($"kill -9 {Environment.ProcessId}"), $"metertwin verify --data {data}",
            $"metertwin serve --data {data}",
        ],
        ShowsHash = true,
    };

    private static TourStep WhatIf() => new("what-if", "What a careless policy would have done",
        "This policy cuts everything off at once. Press \"What if?\": a job plays the recorded days again under it, "
        + "on a copy, and says how many meters would have been isolated, how many supplies cut, and what the guards "
        + "would have held up.\nNothing of it is put in force.",
        "/policies?part=what-if&policy=careless");
}
