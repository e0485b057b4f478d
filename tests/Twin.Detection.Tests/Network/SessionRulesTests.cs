using Twin.Detection.Network;
using Twin.Hardware;

namespace Twin.Detection.Tests.Network;

public class SessionRulesTests
{
    private static Session Of(CommandOrigin port, byte client, byte mechanism, params FrameService[] services) =>
        new(new TwinKey(TwinKind.Meter, 1), new UnixTime(1_000), port, client, mechanism, true,
            (byte)services.Sum(s => 1 << (int)s), 60, "tool-1", "", "");

    /// <summary>Every writing service over every mechanism below challenge and response breaks a rule.</summary>
    [Fact]
    public void Who_writes_proves_who_it_is()
    {
        foreach (var service in (FrameService[])[FrameService.Set, FrameService.Action, FrameService.ImageBlock])
            for (byte mechanism = 0; mechanism <= 7; mechanism++)
                Assert.Equal(mechanism < 3, SessionRules.BrokenBy(Of(CommandOrigin.HeadEnd, 1, mechanism, service))
                    is not null);
    }

    [Fact]
    public void Reading_as_the_public_client_needs_no_proof_anywhere()
    {
        foreach (var port in Enum.GetValues<CommandOrigin>())
            Assert.Null(SessionRules.BrokenBy(Of(port, 16, 0, FrameService.Get, FrameService.Association)));
    }

    [Fact]
    public void A_finding_names_rule_port_and_tool()
    {
        var session = Of(CommandOrigin.OpticalPort, 1, 0, FrameService.Set);
        var f = SessionRules.Judge(session, new(session.Subject, "M-1"))!;
        Assert.Equal("A session at M-1 over OpticalPort by tool-1 wrote without authentication.", f.Sentence);
        Assert.Equal((FindingKind.RogueSession, Severity.High), (f.Kind, f.Severity));
    }
}
