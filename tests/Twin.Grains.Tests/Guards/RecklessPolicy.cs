using Twin.Grains.Cases;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Tests.Guards;

/// <summary>
/// A policy that allows whatever is asked for, and cuts off for any finding: cases and guards must hold without its
/// help. It knows the freeze, windows that open once a day, delays, and expiry.
/// </summary>
internal sealed class RecklessPolicy(bool frozen) : TwinState(PolicyActivation.Twin.Id)
{
    public static readonly GuardLimits Limits = new(new Budget(2, 4, 9, 1_500, 3_000, 6_000),
        new Budget(3, 6, 14, 2_500, 4_500, 9_000), new Budget(4, 8, 20, 3_000, 6_000, 12_000), 3_600);

    private bool _frozen = frozen;
    private string _thawing = "";

    public override Admission Admit(ReadOnlySpan<byte> input, IRecall recall, IAccepted accepted)
    {
        accepted.Add(input, int.MinValue, long.MinValue, false);
        return Admission.Accept;
    }

    public override void Apply(ReadOnlySpan<byte> input, IOutbox outbox)
    {
        if (Input.Read(input) is not FreezeAct act) return;
        if (act.Freeze) (_frozen, _thawing) = (true, "");
        else if (_thawing.Length == 0) _thawing = act.By.Key;
        else if (_thawing != act.By.Key) (_frozen, _thawing) = (false, "");
    }

    public override void Receive(IInbox inbox, IOutbox outbox)
    {
        for (var i = 0; i < inbox.Count; i++)
        {
            var r = new ByteReader(inbox[i].Body);
            Assert.Equal(AnswerKind.Ask, AnswerHead.Read(ref r));
            var to = new ByteWriter();
            AnswerHead.Write(to, AnswerKind.Decided);
            Decide(CaseFacts.Read(ref r)).Write(to);
            outbox.Send(inbox[i].From, to.Written);
        }
    }

    private Decision Decide(CaseFacts facts)
    {
        var rung = facts.Subject.Kind != TwinKind.Meter ? ResponseRung.Log : facts.Wanted
            ?? (facts.Findings.Length > 1 ? ResponseRung.Disconnect : ResponseRung.LimitLoad);
        var hold = _frozen && rung >= ResponseRung.BlockWrites;
        var day = Math.DivRem(facts.Now.Seconds, 86_400).Quotient;
        // Half of all wait for the first hour of the next day, and all of these become due in the same instant.
        var isShut = facts.Subject.Id % 2 == 0 && facts.Now.Seconds % 86_400 >= 3_600;
        var window = isShut ? new UnixTime((day + 1) * 86_400) : default;
        return new Decision(CaseVerdict.Open, "", rung, Enforcer.MetrologyCore, facts.Wanted is null ? 0 : 1, 600,
            rung == ResponseRung.Disconnect ? window : default, rung == ResponseRung.Reconnect ? 0 : 7_200,
            rung == ResponseRung.Disconnect ? ResponseRung.Reconnect : null, "", "reckless", "It is allowed.", "", "",
            0, 0, 0, default, hold, "reckless", "00", Limits, 1_000, 1_000);
    }

    public override void Write(ByteWriter to)
    {
        to.Bool(_frozen);
        to.Text(_thawing);
    }

    public static RecklessPolicy Restore(ReadOnlySpan<byte> state)
    {
        var r = new ByteReader(state);
        return new RecklessPolicy(r.Bool()) { _thawing = r.Text() };
    }
}

/// <summary>The policy that ships, with budgets that a storm over few meters reaches.</summary>
internal static class StormPolicy
{
    public static string Text { get; } = Tighten(PolicyReader.DefaultText);

    private static string Tighten(string text)
    {
        var lines = text.Split('\n');
        foreach (var (level, line) in ((string, string)[])[("feeder", "{commands: [2, 4, 9], kilowatts: [2, 3, 6]}"),
            ("region", "{commands: [3, 6, 14], kilowatts: [3, 5, 9]}"),
            ("fleet", "{commands: [4, 8, 20], kilowatts: [4, 6, 12]}"), ("clock_jump", "1h")])
        {
            var at = Array.FindIndex(lines, l => l.StartsWith($"  {level}: ", StringComparison.Ordinal));
            Assert.True(at >= 0, $"the policy has no line for {level}");
            lines[at] = $"  {level}: {line}";
        }
        return string.Join('\n', lines);
    }
}

/// <summary>All twins are the real ones but the policy.</summary>
internal sealed class RecklessFactory : ITwinFactory
{
    private readonly TwinFactory _real = new();

    public int JudgingVersion => _real.JudgingVersion;
    public bool HearsClosings(TwinKind kind) => _real.HearsClosings(kind);
    public TwinKey? Beside(ReadOnlySpan<byte> input) => _real.Beside(input);
    public TwinState Create(TwinKey key) => key.Kind == TwinKind.Policy ? new RecklessPolicy(false) : _real.Create(key);

    public TwinState Restore(TwinKey key, ReadOnlySpan<byte> state) =>
        key.Kind == TwinKind.Policy ? RecklessPolicy.Restore(state) : _real.Restore(key, state);
}
