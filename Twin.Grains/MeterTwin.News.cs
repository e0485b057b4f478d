using Twin.Detection;
using Twin.Detection.Fleet;
using Twin.Grains.Fleet;
using Twin.Grains.Meters;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains;

// What a meter adds to its day for the cohort: how high its scores get, by which the fleet learns its bar, and what
// people said of its findings. What it knows of itself besides consumption.
public sealed partial class MeterTwin
{
    private const byte StatedInBlock = 1, OpenBefore = 2;

    /// <summary>The highest score of the block of days that runs, as a <see cref="LogFloat"/> code.</summary>
    private ushort _blockMax;
    private byte _blockMarks;

    private Overcount _overcount;
    private AnchorBaseline _anchor;

    /// <summary>Verdicts since the last closing; null when there are none.</summary>
    private (FindingKind Kind, Outcome Outcome)[]? _verdicts;

    /// <summary>Days of which the score is a judgement, and not a model that still learns.</summary>
    private void NoteScore(in DayFeatures features, in DayVerdict verdict, bool stated)
    {
        if (!features.Has(DayMarks.Usable | DayMarks.Warm) || verdict.Top == "warm_up") return;
        _blockMax = Math.Max(_blockMax, LogFloat.Encode((float)verdict.Score));
        if (stated) _blockMarks |= StatedInBlock;
    }

    /// <summary>
    /// Once in <see cref="AlarmBar.BlockDays"/>, on a day of its own, a customer's meter tells its block. A block that
    /// only goes on with what was stated before is not told: an episode counts once.
    /// </summary>
    private void TakeNews(in LocalDay day, MeterRole role, ByteWriter to, IOutbox outbox)
    {
        var (max, verdicts) = ((ushort)0, _verdicts ?? []);
        _verdicts = null;
        if (GroupModel.PhaseOf(day.Number) == (int)(StableHash.Mix(Id) % GroupModel.Phases))
        {
            var goesOn = (_blockMarks & OpenBefore) != 0
                && LogFloat.Decode(_blockMax) >= AlarmBar.LeastOfFixed * AlarmBar.Fixed;
            if (!goesOn && role == MeterRole.Customer) max = _blockMax;
            _blockMarks = goesOn || (_blockMarks & StatedInBlock) != 0 ? OpenBefore : (byte)0;
            _blockMax = 0;
        }
        var news = new MeterNews(max, verdicts);
        if (!news.IsNone) news.Write(to);
        TellBehaviour(day, verdicts, outbox);
    }

    /// <summary>Verdicts on how the device behaves are for the twin of its model.</summary>
    private void TellBehaviour(in LocalDay day, (FindingKind Kind, Outcome Outcome)[] verdicts, IOutbox outbox)
    {
        (FindingKind, Outcome)[] own = [.. verdicts.Where(v => v.Kind == FindingKind.FirmwareBehaviour)];
        if (own.Length == 0 || RelationAt(UnixTime.FromMinutes(day.StartMinute)) is not { Model.Length: > 0 } r) return;
        var message = Scratch.Mine.Bytes;
        message.Clear();
        MessageHead.Write(message, MessageKind.Verdicts);
        MeterNews.WriteVerdicts(message, own);
        outbox.Send(DevicePrintMessage.KeyOf(r.Model), message.Written);
    }

    private Admission AdmitVerdict(Verdict verdict) => verdict.Refusal() is { } reason
        ? Admission.Reject($"meter {Name}: {reason}") : AdmitTime(verdict.At, "verdict");

    private void Apply(Verdict verdict) => _verdicts = SecurityRare.Append(_verdicts ?? [],
        (verdict.About, verdict.Outcome), MeterNews.MaxVerdicts);

    private OtherEvidence OthersOn(in LocalDay day) => _security?.EvidenceAt(day.Number) ?? default;

    private bool LacksOrder(in LocalDay day) => _security?.LacksOrder(day) ?? false;

    private void WriteNews(ByteWriter to)
    {
        to.UInt16(_blockMax);
        to.Byte(_blockMarks);
        _overcount.Write(to);
        _anchor.Write(to);
        MeterNews.WriteVerdicts(to, _verdicts ?? []);
    }

    private void ReadNews(ref ByteReader r)
    {
        (_blockMax, _blockMarks) = (r.UInt16(), r.Byte(0, StatedInBlock | OpenBefore));
        (_overcount, _anchor) = (Overcount.Read(ref r), AnchorBaseline.Read(ref r));
        _verdicts = MeterNews.ReadVerdicts(ref r) is { Length: > 0 } verdicts ? verdicts : null;
    }
}
