using Twin.Detection.Specification;
using Twin.Grains.Cases;
using Twin.Grains.Meters;
using Twin.Hardware;

namespace Twin.Grains;

// What a meter knows for whoever decides what is done: its customer, its switch, its load; and the commands that
// somebody wants sent to it, which go to its case with the next sweep.
public sealed partial class MeterTwin
{
    private uint _categoryAt;
    private CustomerCategory _category;

    private Admission AdmitAnswer(ReadOnlySpan<byte> input, IAccepted accepted)
    {
        var read = Input.Read(input);
        if (read is CommandRequest request)
        {
            if (request.Refusal() is { } reason) return Admission.Reject($"meter {Name}: {reason}");
            if (!HasRoom)
                return Admission.Reject($"meter {Name}: {MaxReports} requests wait for the next sweep already; send "
                    + "this one again after it");
        }
        var at = Input.EventTime(input)!.Value;
        if (AdmitTime(at, read.Kind.ToString()) is { Status: AdmissionStatus.Rejected } refusal) return refusal;
        accepted.Add(input, int.MinValue, long.MinValue, false);
        return Admission.Accept;
    }

    private void Apply(CustomerStatus status)
    {
        var at = Moment.Of(status.At);
        if (at >= _categoryAt) (_category, _categoryAt) = (status.Category, at);
    }

    /// <summary>
    /// The customer's status is what was said of it last; a row of a fleet file speaks for the day it begins with.
    /// </summary>
    protected override SubjectContext ContextOf(UnixTime at)
    {
        var relation = Contexts.IsPossible(at) ? RelationAt(at) : null;
        var (category, since) = (_category, _categoryAt == 0 ? default : Moment.Time(_categoryAt));
        if (relation is { Category: not CustomerCategory.Unknown, ValidFromDay: > int.MinValue } row
            && DayOrBound(row.ValidFromDay).StartMinute * 60 > since.Seconds)
            (category, since) = (row.Category, UnixTime.FromMinutes(DayOrBound(row.ValidFromDay).StartMinute));
        var (state, isKnown) = _security?.Switch ?? (default, false);
        var installed = UnixTime.TryParse(relation?.Installed ?? "", out var day) ? day : default;
        return new SubjectContext(Name, category, since, _security?.Stage ?? default, installed, state, isKnown,
            MeanWatts(), relation?.Feeder ?? "", relation?.Region ?? "", relation?.Concentrator ?? "",
            relation?.Model ?? "", relation?.Firmware ?? "", relation?.Lot ?? "", _security?.HasOrderAt(at) ?? false);
    }

    /// <summary>
    /// Mean power over the import readings of closed days, W; -1 before there are any. What is open came so far by
    /// chance, and a decision must not depend on the order of arrival.
    /// </summary>
    private int MeanWatts()
    {
        var (count, sum) = ((long)_import.Stored, _import.Sum);
        for (var at = 0; at < _open.Used; at = _open.Next(at))
        {
            var head = _open[at];
            if (head.Channel != Channel.Import) continue;
            var stored = Scratch.Mine.Stored;
            stored.Load(head, _open.Readings(at));
            foreach (var value in stored.Values)
                if (value != ReadingBlock.Missing) (count, sum) = (count - 1, sum - value);
        }
        var minutes = count * _import.IntervalMinutes;
        return minutes <= 0 ? -1 : (int)Math.Clamp(sum * 60 / minutes, 0, int.MaxValue);
    }
}
