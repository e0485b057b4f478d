using Twin.Detection.Fleet;
using Twin.Grains.Fleet;
using Twin.Grains.Meters;
using Twin.Hardware;

namespace Twin.Grains;

// Cohorts by installer, contractor and plant.
//
// Context: an installer who miswires, or a plant that ships bad parts, shows in many meters a little. A second full
// cohort for each meter would double the messages of every closing day.
// Decision: a group only needs to know how many meters it has and which of them were unusual. A meter whose day raised
// a finding tells its groups; every meter counts itself once in 28 days, on a day of its own. Groups tell their totals
// to the fleet's first partition, which compares each group with all others of its kind.
// Consequences: about 0.04 letters a meter and group and day. A group is judged from its 29th day on, and its size is
// up to 28 days old.
public sealed partial class MeterTwin
{
    /// <summary>Between the fold and the judgement of the closing day: the fold stated something.</summary>
    private bool _statedInFold;

    private void TellGroups(in LocalDay day, bool unusual, IOutbox outbox)
    {
        var counts = GroupModel.PhaseOf(day.Number) == (int)(StableHash.Mix(Id) % GroupModel.Phases);
        if (_supply is null || (!unusual && !counts)) return;
        if (Supply() is not { } supply) return;
        Tell(GroupKind.Installer, supply.Installer, day, unusual, counts, outbox);
        Tell(GroupKind.Contractor, supply.Contractor, day, unusual, counts, outbox);
        Tell(GroupKind.Plant, supply.Plant, day, unusual, counts, outbox);
    }

    /// <summary>Days between two words of a meter on its register: a lot's drift takes months.</summary>
    private const int RegisterPhases = 7;

    /// <summary>Least energy between two readings of a register for which their difference says something, Wh.
    /// </summary>
    private const long LeastRegisterWh = 2_000;

    /// <summary>
    /// On one day in <see cref="RegisterPhases"/>: the register's advance against the intervals, for the twin of the
    /// model, which compares lots.
    /// </summary>
    private void TellRegister(UnixTime to, WattHours intervals, WattHours register, IOutbox outbox)
    {
        var turn = to.Seconds / 86_400 % RegisterPhases;
        if (intervals.Value < LeastRegisterWh || turn != (long)(StableHash.Mix(Id) % RegisterPhases)) return;
        var permille = (float)(1_000.0 * ((double)register.Value / intervals.Value - 1));
        var nothing = new float[Fingerprint.Features];
        Array.Fill(nothing, float.NaN);
        DeviceSpeech.Tell(RelationAt(to), Name, to, 0, permille, nothing, outbox);
    }

    private static void Tell(GroupKind kind, string name, in LocalDay day, bool unusual, bool counts, IOutbox outbox)
    {
        if (name.Length == 0) return;
        var message = Scratch.Mine.Bytes;
        message.Clear();
        new GroupDayMessage(day.Number, kind, name, unusual, counts).Write(message);
        outbox.Send(GroupModel.KeyOf(kind, name), message.Written);
    }
}
