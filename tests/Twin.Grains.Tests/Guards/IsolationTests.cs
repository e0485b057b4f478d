using Twin.Grains.Cases;
using Twin.Grains.Guards;
using Twin.Grains.Policies;
using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains.Tests.Guards;

/// <summary>Before something is isolated its concentrator says how many are read through it.</summary>
public sealed class IsolationTests
{
    private static readonly Budget s_open = new(-1, -1, -1, -1, -1, -1);
    private static readonly TwinKey s_street = TwinKey.Named(TwinKind.Concentrator, "C-1"),
        s_case = new(TwinKind.Case, 5);
    private static readonly UnixTime s_now = new(1_700_000_000);

    private readonly TwinHarness _h = new();

    private static MeterId M(int n) => MeterId.FromUtilityId($"M-{n}");

    private static Route Over(int meter, int via) => new(M(meter), via == 0 ? default : M(via), 10, 0, 0);

    /// <summary>1 relays 2, 3 and 4; 4 relays 5; 6 is heard directly; 8 and 9 claim each other.</summary>
    public IsolationTests() => _h.Append(new ConcentratorReport(s_street, "C-1", s_now, 3_600, 100,
        [Over(5, 4), Over(4, 1), Over(1, 0), Over(2, 1), Over(3, 1), Over(6, 0), Over(8, 9), Over(9, 8)]));

    private ReservationAnswer Ask(TwinKey subject, int most)
    {
        var limits = new GuardLimits(s_open, s_open, s_open, 3_600) { MaxBehind = most };
        var asked = new Reservation(s_case, 3, subject, ResponseRung.IsolateCommunications, s_now, 0, "F1", "R1", "",
            limits, false);
        var to = new ByteWriter();
        AnswerHead.Write(to, AnswerKind.Reserve);
        asked.Write(to);
        var before = _h.Sent.Count;
        _h.Deliver((s_case, s_street, to.ToArray()));
        var answer = Assert.Single(_h.Sent.Skip(before), m => m.To == s_case);
        var r = new ByteReader(answer.Body);
        Assert.Equal(AnswerKind.Reserved, AnswerHead.Read(ref r));
        return ReservationAnswer.Read(ref r);
    }

    [Theory]
    [InlineData(1, 4)]
    [InlineData(4, 1)]
    [InlineData(6, 0)]
    [InlineData(8, 1)]
    [InlineData(77, 0)]
    public void Those_behind_a_meter_are_counted_over_all_hops(int meter, int behind)
    {
        var answer = Ask(M(meter).Twin, -1);
        Assert.Equal(new ReservationAnswer(3, true, GuardKey.Fleet, "", behind), answer);
    }

    [Fact]
    public void Too_many_behind_are_not_cut_off_and_no_guard_is_asked()
    {
        Assert.Equal(new ReservationAnswer(3, false, s_street,
            "4 meters are read through it, and at most 3 may be cut off", 4), Ask(M(1).Twin, 3));
        Assert.True(Ask(M(1).Twin, 4).Granted);
        Assert.Equal(1, GuardView.From(GuardKey.Fleet, _h.State(GuardKey.Fleet)).CommandsDay);
    }

    [Fact]
    public void What_a_meter_asks_at_the_close_of_a_day_is_answered_as_ever()
    {
        Ask(M(1).Twin, 3);
        var gap = new ByteWriter();
        MessageHead.Write(gap, MessageKind.GapDay);
        MessageHead.WriteLocalDay(gap, new LocalDay(19_675, 19_675 * 1_440L, 1_440));
        _h.Deliver((M(2).Twin, s_street, gap.ToArray()));
        Assert.Equal((s_street, M(2).Twin), (_h.Sent[^1].From, _h.Sent[^1].To));
        Assert.Equal((byte)MessageKind.BackhaulDay, _h.Sent[^1].Body[1]);
    }

    [Fact]
    public void The_concentrator_itself_cuts_all_off() => Assert.Equal(8, Ask(s_street, 7).Behind);
}
