using Twin.Grains.Cases;
using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;

namespace Twin.Grains.Tests;

/// <summary>What a twin states, and what is asked of it, goes to its cases with the next sweep.</summary>
public class ReportingTests
{
    private static readonly UnixTime At = new(1_760_000_000);
    private static readonly MeterId Meter = new(0x4D54_5700_0000_0042);

    private sealed class Box : IOutbox
    {
        public List<(TwinKey To, byte[] Body)> Mail { get; } = [];
        public List<FactKind> Facts { get; } = [];
        public void Send(TwinKey to, ReadOnlySpan<byte> message) => Mail.Add((to, message.ToArray()));
        public void Publish(ReadOnlySpan<byte> message) { }
        public void Fact(FactKind kind, ReadOnlySpan<byte> fact) => Facts.Add(kind);

        public List<Report> Reports() => [.. Mail.Where(m => m.To.Kind == TwinKind.Case).Select(m =>
        {
            var r = new ByteReader(m.Body);
            Assert.Equal(AnswerKind.Report, AnswerHead.Read(ref r));
            var report = Report.Read(r.Rest);
            Assert.Equal(report.Case, m.To);
            return report;
        })];
    }

    private sealed class Door : IAccepted
    {
        public void Add(ReadOnlySpan<byte> input, int day, long endMinute, bool sealable) { }
    }

    private static Admission Give(MeterTwin twin, Input input, Box box)
    {
        var admission = twin.Admit(input.ToBytes(), null!, new Door());
        if (admission.Status == AdmissionStatus.Accepted) twin.Apply(input.ToBytes(), box);
        return admission;
    }

    private static CommandOutcome Unordered(int second) => new(Meter, new UnixTime(At.Seconds + second),
        CommandKind.Disconnect, CommandOrigin.HeadEnd, CommandResult.Done, new SwitchState(false, 0, 4), "",
        "j.doe", "");

    private static CommandRequest Request(int n) => new(Meter, new UnixTime(At.Seconds + n), new Actor("J. Doe", "k1"),
        $"r-{n}", ResponseRung.Disconnect, "", "unpaid");

    private static MeterTwin Known()
    {
        var twin = new MeterTwin(Meter.Value);
        Give(twin, new MeterSeen(Meter, "M-42", "UTC", 3), new Box());
        Give(twin, new MeterRelation(Meter, "M-42", MeterRole.Customer, "F-1", "ZEUS-2", "1.8.0", "L7", "2020-05-01",
            "UP-1", "", "UTC", "DC-1", "north", CustomerCategory.Unknown, int.MinValue, int.MaxValue), new Box());
        return twin;
    }

    [Fact]
    public void A_finding_is_stated_at_once_and_reported_once_with_the_next_sweep()
    {
        var (twin, box) = (Known(), new Box());
        Give(twin, Unordered(0), box);
        Assert.Contains(FactKind.Finding, box.Facts);
        Assert.Empty(box.Mail);
        Assert.True(twin.Waits);
        twin.Apply(new Sweep(new UnixTime(At.Seconds + 60)).ToBytes(), box);
        var report = Assert.Single(box.Reports());
        Assert.Equal(FindingKind.CommandWithoutOrder, report.Finding!.Kind);
        Assert.Equal(At.Seconds + 60, report.At.Seconds);
        var context = report.Context;
        Assert.Equal(("M-42", "F-1", "north", "DC-1"), (context.Name, context.Feeder, context.Region,
            context.Concentrator));
        Assert.Equal(("ZEUS-2", "1.8.0", "L7"), (context.Model, context.Firmware, context.Lot));
        Assert.Equal((CustomerCategory.Unknown, default), (context.Category, context.CategoryAt));
        Assert.Equal((true, 4, -1), (context.SwitchKnown, context.Switch.ControlMode, context.LoadWatts));
        box.Mail.Clear();
        twin.Apply(new Sweep(new UnixTime(At.Seconds + 120)).ToBytes(), box);
        Assert.Empty(box.Reports());
    }

    [Fact]
    public void What_waits_survives_a_restart()
    {
        var twin = Known();
        Give(twin, Unordered(0), new Box());
        Give(twin, Request(5), new Box());
        var written = new ByteWriter();
        twin.Write(written);
        var again = MeterTwin.Restore(twin.Id, written.Written);
        Assert.True(again.Waits);
        var (one, other) = (new Box(), new Box());
        var sweep = new Sweep(new UnixTime(At.Seconds + 60)).ToBytes();
        twin.Apply(sweep, one);
        again.Apply(sweep, other);
        Assert.Equal(one.Mail.Select(m => (m.To, Convert.ToHexString(m.Body))),
            other.Mail.Select(m => (m.To, Convert.ToHexString(m.Body))));
        Assert.Equal(2, other.Reports().Count);
    }

    [Fact]
    public void A_request_goes_to_the_grid_s_desk_and_beyond_the_bound_it_is_refused()
    {
        var (twin, box) = (Known(), new Box());
        for (var n = 0; n < ReportingTwin.MaxReports; n++)
            Assert.Equal(AdmissionStatus.Accepted, Give(twin, Request(n), box).Status);
        var refused = Give(twin, Request(ReportingTwin.MaxReports), box);
        Assert.Equal(AdmissionStatus.Rejected, refused.Status);
        Assert.Contains("wait for the next sweep", refused.Reason, StringComparison.Ordinal);
        twin.Apply(new Sweep(new UnixTime(At.Seconds + 60)).ToBytes(), box);
        var reports = box.Reports();
        Assert.Equal(ReportingTwin.MaxReports, reports.Count);
        Assert.All(reports, r => Assert.Equal(CaseKey.Of(Meter.Twin, Desk.Grid), r.Case));
        Assert.Equal(Request(7), reports[7].Request);
        Assert.Equal(AdmissionStatus.Accepted, Give(twin, Request(99), box).Status);
    }

    [Fact]
    public void A_flood_of_findings_keeps_the_newest_reports()
    {
        var (twin, box) = (Known(), new Box());
        for (var day = 0; day < 3 * ReportingTwin.MaxReports; day++) Give(twin, Unordered(day * 8 * 86_400), box);
        var stated = box.Facts.Count(k => k == FactKind.Finding);
        Assert.True(stated > ReportingTwin.MaxReports);
        twin.Apply(new Sweep(new UnixTime(At.Seconds + 9_000L * 86_400)).ToBytes(), box);
        var reports = box.Reports();
        Assert.Equal(ReportingTwin.MaxReports, reports.Count);
        Assert.Equal(At.Seconds + (3 * ReportingTwin.MaxReports - 1) * 8L * 86_400, reports[^1].Finding!.From.Seconds);
    }

    [Fact]
    public void What_was_said_last_of_a_customer_counts_and_an_older_word_does_not()
    {
        var (twin, box) = (Known(), new Box());
        Give(twin, new CustomerStatus(Meter, At, CustomerCategory.Medical, "crm"), box);
        Give(twin, new CustomerStatus(Meter, new UnixTime(At.Seconds - 9), CustomerCategory.Ordinary, "old file"), box);
        Give(twin, Request(1), box);
        twin.Apply(new Sweep(new UnixTime(At.Seconds + 60)).ToBytes(), box);
        var context = Assert.Single(box.Reports()).Context;
        Assert.Equal((CustomerCategory.Medical, At), (context.Category, context.CategoryAt));
    }

    [Theory]
    [InlineData("", "k", "r", "needs a person")]
    [InlineData("Kim", "k", "", "number of 1 to 64")]
    public void A_request_without_a_person_or_number_is_refused(string person, string key, string number, string says)
    {
        var request = Request(1) with { By = new Actor(person, key), Request = number };
        var refused = Give(Known(), request, new Box());
        Assert.Equal(AdmissionStatus.Rejected, refused.Status);
        Assert.Contains(says, refused.Reason, StringComparison.Ordinal);
    }
}
