using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Twin.Grains.Cases;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using YamlDotNet.RepresentationModel;

namespace Twin.Grains.Policies;

/// <summary>Reads policies: YAML in, a document or mistakes out. Never throws for what is in the text.</summary>
public static class PolicyReader
{
    private const int MaxRules = 200, MaxExamples = 200, MaxName = 80;

    /// <summary>The policy that ships.</summary>
    public static string DefaultText { get; } = Shipped("default.yaml");

    /// <summary>One that cuts everything off at once, to be tried out and never put in force.</summary>
    public static string CarelessText { get; } = Shipped("careless.yaml");

    public static PolicyDocument Default { get; } = Read(DefaultText, out var errors)
        ?? throw new InvalidOperationException("The default policy is damaged: " + string.Join("; ", errors));

    private static string Shipped(string name)
    {
        using var stream = typeof(PolicyReader).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream, Encoding.UTF8);
        return reader.ReadToEnd();
    }

    /// <summary>SHA-256 of the text in UTF-8, hexadecimal.</summary>
    public static string DigestOf(string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    /// <summary>
    /// As <see cref="Read"/>, for one that is to be put in force: its names are plain text as well, since lists, logs
    /// and reports show them. One that is in force already is not asked for that.
    /// </summary>
    public static PolicyDocument? Check(string text, out IReadOnlyList<PolicyError> errors)
    {
        if (Read(text, out errors) is not { } policy) return null;
        errors = [.. policy.Rules.Select(r => r.Name).Concat(policy.Examples.Select(e => e.Name)).Prepend(policy.Name)
            .Select(name => PlainText.Refusal(name)).OfType<string>().Distinct()
            .Select(refusal => new PolicyError(1, 1, $"of a name in it: {refusal}"))];
        return errors.Count == 0 ? policy : null;
    }

    /// <summary>The document, or null and what is wrong with it.</summary>
    public static PolicyDocument? Read(string text, out IReadOnlyList<PolicyError> errors)
    {
        var found = new List<PolicyError>();
        errors = found;
        if (text.Length > PolicyActivation.MaxText)
        {
            found.Add(new PolicyError(1, 1, $"a policy has at most {PolicyActivation.MaxText} characters"));
            return null;
        }
        if (PolicyYaml.Parse(text, found) is not { } root) return null;
        var name = root.Text("policy", MaxName, true);
        var version = root.Whole("version", 1, int.MaxValue, null);
        var figures = Figures(root.Map("figures", true));
        var rungs = Rungs(root.Map("rungs", true));
        PolicyRule[] rules = [.. root.List("rules", MaxRules).Select((n, i) => Rule(root.Of(n, "a rule"), i, rungs))];
        if (rules.Length == 0) root.Error(root.Find("rules"), "'rules' is missing or empty");
        var (limits, requests, window) = Guards(root.Map("guards", true));
        limits = limits with { UnknownWatts = figures.UnknownWatts };
        var desks = DesksOf(root.Map("desks", true));
        PolicyExample[] examples =
            [.. root.List("examples", MaxExamples).Select(n => Example(root.Of(n, "an example")))];
        root.Close("a policy");
        return found.Count > 0 ? null : new PolicyDocument(name, version, DigestOf(text), figures, rungs, rules, limits,
            requests, window, desks, examples);
    }

    private static HarmFigures Figures(PolicyYaml y)
    {
        var minutes = y.Map("customer_minute", true);
        var minute = new Dictionary<CustomerCategory, double>
        {
            [CustomerCategory.Ordinary] = minutes.Number("ordinary", 0.001, 1e6, null),
            [CustomerCategory.Critical] = minutes.Number("critical", 0.001, 1e6, null),
            [CustomerCategory.Medical] = minutes.Number("medical", 0.001, 1e6, null),
        };
        minute[CustomerCategory.Unknown] = minute[CustomerCategory.Critical];
        if (minute[CustomerCategory.Critical] < minute[CustomerCategory.Ordinary])
            y.Error(minutes.Find("critical"), "a critical customer's minute cannot weigh less than an ordinary one's");
        minutes.Close("'customer_minute'");
        var reach = new SortedDictionary<string, double>(StringComparer.Ordinal);
        var reaches = y.Map("reach", true);
        foreach (var (key, _, value) in reaches.Entries()) reach[key] = y.NumberOf(value, key, 1, 1e7);
        if (!reach.ContainsKey("subject")) y.Error(null, "'reach' needs 'subject': meters that one subject exposes");
        var figures = new HarmFigures(minute, y.Number("kilowatt_moved", 0, 1e6, null),
            y.Number("exposed_meter_hour", 0, 1e6, null), y.Number("horizon_hours", 0.1, 100_000, null),
            y.Whole("unknown_load_watts", 0, 1_000_000, null), y.Whole("category_valid_days", 1, 30, 30),
            y.Number("service_life_years", 1, 50, 20), reach);
        y.Close("'figures'");
        return figures;
    }

    private static SortedDictionary<ResponseRung, RungTerms> Rungs(PolicyYaml y)
    {
        var rungs = new SortedDictionary<ResponseRung, RungTerms>();
        foreach (var (key, at, value) in y.Entries())
        {
            if (y.NameOf<ResponseRung>(at, "rungs") is not { } rung) continue;
            var t = y.Of(value, key);
            var terms = new RungTerms(t.Name<Enforcer>("enforcer") ?? Enforcer.None, t.Whole("approvals", 0, 8, 0),
                t.Seconds("expires", 0), t.Seconds("mean_delay", 0), t.Number("effect", 0, 1, null),
                t.Number("customer_minutes", 0, 1e6, 0), t.Number("cost", 0, 1e6, 0), t.Number("wear", 0, 1e6, 0));
            if (rung is ResponseRung.Disconnect or ResponseRung.LimitLoad
                && terms.Approvals < PolicyEngine.LeastPersons)
                y.Error(t.Find("approvals"), $"{key} needs at least {PolicyEngine.LeastPersons} approvals: no policy "
                    + "touches supply on its own");
            if (rung is ResponseRung.IsolateCommunications or ResponseRung.BlockWrites or ResponseRung.LimitLoad
                && terms.ExpirySeconds == 0)
                y.Error(value, $"{key} needs 'expires': a measure that nobody renews ends");
            t.Close($"rung '{key}'");
            rungs[rung] = terms;
        }
        foreach (var rung in Enum.GetValues<ResponseRung>())
            if (rung != ResponseRung.Log && !rungs.ContainsKey(rung))
                y.Error(null, $"'rungs' lacks {SnakeCase.Of(rung)}");
        return rungs;
    }

    private static PolicyRule Rule(PolicyYaml y, int index, SortedDictionary<ResponseRung, RungTerms> rungs)
    {
        var name = y.Text("rule", MaxName, false);
        var when = y.Map("when", false);
        var selector = Select(when);
        when.Close("'when'");
        var ladder = y.Names<ResponseRung>("ladder");
        for (var i = 1; i < ladder.Length; i++)
            if (ladder[i] <= ladder[i - 1])
                y.Error(y.Find("ladder"), $"the ladder goes from {SnakeCase.Of(ladder[i - 1])} to "
                    + $"{SnakeCase.Of(ladder[i])}; it must go from milder to harsher");
        if (Array.Exists(ladder, r => r == ResponseRung.Reconnect))
            y.Error(y.Find("ladder"), "a ladder does not end in reconnect: that is how a disconnection is undone");
        var rule = new PolicyRule(name.Length > 0 ? name : $"rule {index + 1}", selector, y.Flag("open") ?? true,
            y.Number("likelihood", 0, 1, 0.5), y.Has("harm") ? y.Number("harm", 0, 1e9, null) : null, ladder,
            y.Seconds("wait", 3_600));
        y.Close("a rule");
        return rule;
    }

    private static Selector Select(PolicyYaml y) => new(y.Names<FindingKind>("kind"), y.Name<Severity>("severity"),
        y.Has("confidence") ? y.Number("confidence", 0, 1, null) : null, y.Flag("proof"), y.Texts("cause"),
        y.Names<Desk>("desk"), y.Names<TwinKind>("subject"), y.Names<LifeCycle>("life_cycle"),
        y.Names<CustomerCategory>("category"), y.Texts("model"), y.Texts("firmware"), y.Texts("lot"),
        y.Has("service_years") ? y.Number("service_years", 0, 100, null) : null, y.Flag("confirmed"),
        y.Flag("dangerous"), y.Has("members") ? y.Whole("members", 1, int.MaxValue, null) : null);

    private static (GuardLimits, int, DisconnectWindow) Guards(PolicyYaml y)
    {
        var limits = new GuardLimits(Level(y, "feeder"), Level(y, "region"), Level(y, "fleet"),
            Math.Max(60, y.Seconds("clock_jump", 26 * 3_600)))
        {
            MaxBehind = y.Whole("most_behind_isolated", 0, 1_000_000, 50),
            AccountPercent = y.Whole("account_percent", 1, 100, 50),
        };
        var requests = y.Whole("switch_requests_per_hour", 1, 60, 2);
        var w = y.Map("disconnect_window", true);
        var days = w.Names<DayOfWeek>("days");
        var dates = new List<DateOnly>();
        foreach (var text in w.Texts("not_on"))
        {
            if (DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None,
                out var d)) dates.Add(d);
            else w.Error(w.Find("not_on"), $"'{text}' is no date; write 2026-12-25");
        }
        var zone = w.Text("zone", 64, true);
        if (!ZoneRules.TryGet(zone, out _)) w.Error(w.Find("zone"), $"'{zone}' is no zone of the IANA list");
        var window = new DisconnectWindow(zone, days, w.Whole("from_hour", 0, 23, null),
            w.Whole("to_hour", 1, 24, null), [.. dates]);
        if (days.Length == 0 || window.ToHour <= window.FromHour)
            w.Error(null, "the window is never open: give days, and from_hour before to_hour");
        w.Close("'disconnect_window'");
        y.Close("'guards'");
        return (limits, requests, window);
    }

    private static Budget Level(PolicyYaml y, string key)
    {
        var level = y.Map(key, true);
        var (commands, watts) = (Three(level, "commands"), Three(level, "kilowatts"));
        level.Close($"'{key}'");
        return new Budget((int)commands[0], (int)commands[1], (int)commands[2], 1_000 * (long)watts[0],
            1_000 * (long)watts[1], 1_000 * (long)watts[2]);
    }

    /// <summary>Most within 5 minutes, an hour, a day.</summary>
    private static double[] Three(PolicyYaml y, string key)
    {
        double[] three = [.. y.List(key, 3).Select(v => y.NumberOf(v, key, 0, 100_000_000))];
        if (three.Length == 3 && three[0] <= three[1] && three[1] <= three[2]) return three;
        y.Error(y.Find(key), $"'{key}' needs three numbers, for 5 minutes, an hour and a day, "
            + "each at least the one before");
        return [0, 0, 0];
    }

    private static SortedDictionary<Desk, DeskTerms> DesksOf(PolicyYaml y)
    {
        var desks = new SortedDictionary<Desk, DeskTerms>();
        foreach (var desk in Enum.GetValues<Desk>())
        {
            var d = y.Map(SnakeCase.Of(desk), true);
            desks[desk] = new DeskTerms(d.Whole("new_cases_a_day", -1, 1_000_000, null),
                d.Whole("storm_from", 2, 1_000_000, null));
            d.Close("a desk");
        }
        y.Close("'desks'");
        return desks;
    }

    /// <summary>Facts in short: what is not given is as mild as it can be.</summary>
    private static PolicyExample Example(PolicyYaml y)
    {
        var given = y.Map("given", true);
        var kinds = given.Names<FindingKind>("kind");
        var severity = given.Name<Severity>("severity") ?? Severity.High;
        var confidence = given.Number("confidence", 0, 1, 0.9);
        var now = new UnixTime(1_767_268_800);
        var category = given.Name<CustomerCategory>("category") ?? CustomerCategory.Unknown;
        var context = SubjectContext.Of("example") with
        {
            Category = category,
            CategoryAt = new UnixTime(now.Seconds
                - 86_400L * given.Whole("category_days", 0, 10_000, 0)),
            Stage = given.Name<LifeCycle>("life_cycle") ?? default,
            Orders = given.Flag("orders_known") ?? false,
            LoadWatts = given.Whole("load_watts", -1, 10_000_000, 500),
            Feeder = "F-1",
            Region = "R-1",
            SwitchKnown = given.Has("control_mode"),
            Switch = new SwitchState(true, 1, (byte)given.Whole("control_mode", 0, 7, 0)),
        };
        StepFact[] steps = [.. given.Names<ResponseRung>("tried").Select(r => new StepFact(r, ResponseState.Done,
            Enforcer.HeadEnd, new UnixTime(now.Seconds - 86_400)))];
        FindingFact[] findings = [.. kinds.Select(k => new FindingFact(k, severity, confidence,
            new UnixTime(now.Seconds - 3_600), now, 1, Proofs.Is(k)))];
        var facts = new CaseFacts(new TwinKey(TwinKind.Case, 1), new TwinKey(given.Name<TwinKind>("subject")
            ?? TwinKind.Meter, 1), kinds.Length > 0 ? Cases.Desks.Of(kinds[0]) : Desk.Grid, now,
            given.Text("cause", Finding.MaxCause, false), findings, steps, context,
            given.Flag("confirmed") ?? false, given.Flag("dangerous") ?? false, given.Name<ResponseRung>("wanted"),
            new Actor(given.Text("by", 100, false), ""), given.Text("order", 64, false),
            given.Whole("members", 1, int.MaxValue, 1), given.Whole("requests_in_hour", 0, 10_000, 0));
        given.Close("'given'");
        var expect = y.Map("expect", true);
        var example = new PolicyExample(y.Text("example", MaxName, true), y.Line, facts,
            expect.Name<ResponseRung>("rung") ?? ResponseRung.Log,
            expect.Has("approvals") ? expect.Whole("approvals", 0, 8, null) : null, expect.Flag("refused"));
        expect.Close("'expect'");
        y.Close("an example");
        return example;
    }
}
