using Twin.Hardware.Events;

namespace Twin.Hardware.Tests.Events;

public class EventProfilesTests
{
    [Theory]
    [InlineData("dsmr", "48", MeterEventKind.ModuleCoverOpened)]
    [InlineData("SMR", "49", MeterEventKind.ModuleCoverClosed)]
    [InlineData("idis", "48", MeterEventKind.KeysChanged)]
    [InlineData("idis", "49", MeterEventKind.DecryptionFailed)]
    [InlineData("idis", "50", MeterEventKind.ReplayAttack)]
    [InlineData("idis", "51", MeterEventKind.FirmwareVerificationFailed)]
    [InlineData("dsmr", "50", MeterEventKind.Unmapped)]
    [InlineData("dsmr", "51", MeterEventKind.Unmapped)]
    [InlineData("idis", "77", MeterEventKind.Unmapped)]
    [InlineData("dsmr", "78", MeterEventKind.UnderVoltage)]
    [InlineData("idis", "46", MeterEventKind.LoginFailed)]
    [InlineData("cim", "0.31.26.68", MeterEventKind.RemoteDisconnection)]
    [InlineData("cim", "3.12.24.35", MeterEventKind.LoginFailed)]
    [InlineData("cim", "0.31.26.69", MeterEventKind.Unmapped)]
    [InlineData("metertwin", "80", MeterEventKind.SwitchRateLimited)]
    [InlineData("metertwin", "81", MeterEventKind.Unmapped)]
    [InlineData("metertwin", "256", MeterEventKind.Unmapped)]
    [InlineData("faham", "1", MeterEventKind.Unmapped)]
    [InlineData("", "1", MeterEventKind.Unmapped)]
    [InlineData("dsmr", "-1", MeterEventKind.Unmapped)]
    [InlineData("dsmr", " 1", MeterEventKind.Unmapped)]
    [InlineData("dsmr", "99999999999", MeterEventKind.Unmapped)]
    public void Codes_mean_what_their_profile_says_and_nothing_else(string profile, string code, MeterEventKind kind) =>
        Assert.Equal(kind, EventProfiles.Decode(profile, code));

    [Fact]
    public void A_code_in_a_log_where_it_does_not_belong_is_unmapped()
    {
        Assert.Equal(MeterEventKind.LoginFailed, EventProfiles.Decode("dsmr", EventLogClass.Fraud, 46));
        Assert.Equal(MeterEventKind.Unmapped, EventProfiles.Decode("dsmr", EventLogClass.Standard, 46));
        Assert.Equal(MeterEventKind.Unmapped, EventProfiles.Decode("dsmr", EventLogClass.MBus, 100));
        Assert.Equal(MeterEventKind.EventLogCleared, EventProfiles.Decode("idis", EventLogClass.Fraud, 255));
    }

    [Fact]
    public void What_is_encoded_decodes_to_the_same_kind_in_every_profile()
    {
        var encoded = 0;
        foreach (var profile in new[] { "dsmr", "smr", "idis", "cim", "metertwin" })
        {
            foreach (var kind in Enum.GetValues<MeterEventKind>())
            {
                if (EventProfiles.CodeOf(profile, kind) is not { } code) continue;
                Assert.Equal(kind, EventProfiles.Decode(profile, code));
                encoded++;
            }
            Assert.Null(EventProfiles.CodeOf(profile, MeterEventKind.Unmapped));
        }
        Assert.True(encoded > 150, $"{encoded}");
        Assert.Null(EventProfiles.CodeOf("faham", MeterEventKind.PowerDown));
        Assert.Equal("0.26.38.85", EventProfiles.CimCode(MeterEventKind.PowerDown));
        Assert.Null(EventProfiles.CimCode(MeterEventKind.TerminalCoverOpened));
    }
}
