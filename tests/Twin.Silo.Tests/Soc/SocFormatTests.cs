using System.Text;
using System.Text.Json.Nodes;
using Twin.Hardware;
using Twin.Silo.Soc;

namespace Twin.Silo.Tests.Soc;

public class SocFormatTests
{
    private static readonly string Key = $"{Samples.Case.Id:x16}";
    private static readonly string Hash = string.Concat(Enumerable.Repeat("ab", 32));

    [Fact]
    public void A_finding_in_cef_is_exact()
    {
        var text = Cef.Of(Samples.Event(Samples.Report(Samples.Finding("M|1\\=", "a=b\nc\\d"))));
        Assert.Equal($"CEF:0|MeterTwin|MeterTwin|{Silo.Commands.Cli.Version}|finding.unknown_image|unknown image|8|"
            + $"rt=1767225600000 externalId={Key}-7 dvchost=M|1\\\\\\= deviceExternalId={Samples.Meter} cat=finding "
            + $"cs1Label=case cs1={Key} cs2Label=attackTechniques cs2=T0857 start=1767225600000 end=1767226500000 "
            + "cfp1Label=confidence cfp1=0.97 msg=a\\=b\\nc\\\\d", text);
    }

    [Fact]
    public void A_cef_header_escapes_bars_and_backslashes_and_breaks_no_line() =>
        Assert.Equal("a\\|b\\\\c d=e", Cef.Header("a|b\\c\nd=e"));

    [Fact]
    public void A_finding_in_syslog_is_exact()
    {
        var bytes = Rfc5424.Of(Samples.Event(Samples.Report(Samples.Finding("M\"1]\\"))), "host a", 32473, null);
        var f = Samples.Finding();
        var expected = $"<107>1 2026-01-01T00:00:00Z host_a metertwin - finding.unknown_image [metertwin@32473 "
            + $"id=\"{Key}-7\" entry=\"7\" case=\"{Key}\" subject=\"{Samples.Meter}\" name=\"M\\\"1\\]\\\\\" "
            + $"severity=\"high\" technique=\"T0857\" finding=\"{f.Id}\" confidence=\"0.97\" hash=\"{Hash}\"] "
            + "\uFEFFThe image is not known.";
        Assert.Equal(expected, Encoding.UTF8.GetString(bytes));
        Assert.Equal($"{bytes.Length} {expected}", Encoding.UTF8.GetString(Rfc5424.Framed(bytes)));
    }

    [Theory]
    [InlineData(Severity.Info, 110)]
    [InlineData(Severity.Medium, 108)]
    [InlineData(Severity.Critical, 106)]
    public void Priority_is_log_audit_with_the_severity(Severity severity, int priority) =>
        Assert.Equal(priority, Rfc5424.Priority(severity));

    [Fact]
    public void No_text_breaks_a_line_or_a_parameter()
    {
        var seed = 20_260_101UL;
        var chance = new SplitMix64(seed);
        const string alphabet = "ab|=\\\"]\r\n\t\0 äé漢\u2028";
        for (var i = 0; i < 500; i++)
        {
            var text = string.Concat(Enumerable.Range(0, chance.Next(60))
                .Select(_ => alphabet[chance.Next(alphabet.Length)]));
            var e = Samples.Event(Samples.Report(Samples.Finding("N" + text, text)));
            foreach (var format in Enum.GetValues<SocFormat>())
                Assert.False(SocFormats.Of(e, format).AsSpan().ContainsAny('\r', '\n'), $"seed {seed}, {i}, {format}");
            var syslog = Encoding.UTF8.GetString(Rfc5424.Of(e, "h", 32473, null));
            Assert.DoesNotContain('\n', syslog);
            Assert.Equal("N" + Rfc5424.OneLine(text), Parameter(syslog, "name"));
            Assert.Equal("N" + text, (string?)JsonNode.Parse(SocFormats.Of(e, SocFormat.Ocsf))!["device"]!["name"]);
            Assert.Equal(text, Unescaped(Cef.Value(text)));
        }
    }

    [Fact]
    public void A_long_message_is_cut_between_characters()
    {
        var bytes = Rfc5424.Of(Samples.Event(Samples.Report(Samples.Finding(sentence: new string('漢', 9_000)))), "h",
            32473, null);
        Assert.InRange(bytes.Length, Rfc5424.MaxOctets - 3, Rfc5424.MaxOctets);
        Assert.DoesNotContain('\uFFFD', Encoding.UTF8.GetString(bytes));
    }

    [Fact]
    public void A_finding_in_ocsf_has_observed_and_expected()
    {
        var o = Ocsf.Of(Samples.Event(Samples.Report(Samples.Finding())));
        Assert.Equal((2004, 200401, 4), ((int)o["class_uid"]!, (int)o["type_uid"]!, (int)o["severity_id"]!));
        Assert.Equal($"{Key}-7", (string?)o["metadata"]!["uid"]);
        Assert.Equal(Flat("""
            [{"analysis_targets":[{"name":"M-1","type":"meter"}],
            "baselines":[{"observation_parameter":"flash_pages","observation_type":"Deviation Analysis",
            "observations":[{"value":"0 pages"}]}],"anomalies":[{"observation_parameter":"flash_pages",
            "observation_type":"Deviation Analysis","observations":[{"value":"12 pages"}]}]}]
            """), o["anomaly_analyses"]!.ToJsonString(SocFormats.OneLine));
        Assert.Equal(Flat("""
            [{"version":"18.1","technique":{"uid":"T0857","name":"System Firmware",
            "src_url":"https://attack.mitre.org/techniques/T0857/"},"tactics":[{"uid":"TA0110",
            "name":"Persistence"},{"uid":"TA0107","name":"Inhibit Response Function"}]}]
            """), o["finding_info"]!["attacks"]!.ToJsonString(SocFormats.OneLine));
    }

    [Theory]
    [InlineData(CaseHandling.New, 0, 1, 1, 0)]
    [InlineData(CaseHandling.InProgress, 60, 2, 2, 0)]
    [InlineData(CaseHandling.Resolved, 60, 3, 4, 2)]
    public void A_case_is_created_updated_and_closed(CaseHandling handling, long later, int activity, int status,
        int verdict)
    {
        var o = Ocsf.Of(Samples.Event(Samples.Entry(Samples.Snapshot(handling, later))));
        Assert.Equal((activity, 200400 + activity, status, verdict), ((int)o["activity_id"]!, (int)o["type_uid"]!,
            (int)o["status_id"]!, (int)o["verdict_id"]!));
        Assert.Equal($"{Key}-1", (string?)o["finding_info"]!["uid"]);
    }

    [Theory]
    [InlineData(ResponseRung.Reattest, false, 5)]
    [InlineData(ResponseRung.RotateKeys, false, 2)]
    [InlineData(ResponseRung.BlockWrites, false, 4)]
    [InlineData(ResponseRung.Disconnect, false, 1)]
    [InlineData(ResponseRung.Disconnect, true, 3)]
    [InlineData(ResponseRung.Reconnect, false, 3)]
    public void A_response_is_a_remediation(ResponseRung rung, bool isUndo, int activity)
    {
        var o = Ocsf.Of(Samples.Event(Samples.Entry(Samples.Response(rung, ResponseState.Done, isUndo))));
        Assert.Equal((7001, 700100 + activity, 1), ((int)o["class_uid"]!, (int)o["type_uid"]!, (int)o["status_id"]!));
        Assert.Equal($"{Key}-3-6955b900{(isUndo ? "u" : "")}", (string?)o["command_uid"]);
    }

    /// <summary>What remediation_activity of OCSF has since 1.5: the tactics of D3FEND, and Other.</summary>
    [Fact]
    public void Every_rung_is_an_activity_that_the_schema_has()
    {
        var names = new Dictionary<int, string>
        {
            [1] = "Isolate", [2] = "Evict", [3] = "Restore", [4] = "Harden", [5] = "Detect",
        };
        foreach (var rung in Enum.GetValues<ResponseRung>())
            foreach (var isUndo in (bool[])[false, true])
            {
                var o = Ocsf.Of(Samples.Event(Samples.Entry(Samples.Response(rung, ResponseState.Done, isUndo))));
                var (id, name) = ((int)o["activity_id"]!, (string)o["activity_name"]!);
                Assert.Equal(id == 99 ? SnakeCase.Of(rung) : names[id], name);
                Assert.Equal(700100 + id, (int)o["type_uid"]!);
                Assert.Equal(!isUndo && rung is ResponseRung.Log or ResponseRung.Notify && !isUndo, id == 99);
            }
    }

    [Fact]
    public void A_finding_in_ecs_names_meter_observer_and_threat()
    {
        var o = Ecs.Of(Samples.Event(Samples.Report(Samples.Finding())));
        Assert.Equal("alert", (string?)o["event"]!["kind"]);
        Assert.Equal("Z-1", (string?)o["device"]!["model"]!["name"]);
        Assert.Equal(Flat("""
            {"framework":"MITRE ATT&CK for ICS","tactic":{"id":["TA0110","TA0107"],"name":["Persistence",
            "Inhibit Response Function"]},"technique":{"id":["T0857"],"name":["System Firmware"],
            "reference":["https://attack.mitre.org/techniques/T0857/"]}}
            """), o["threat"]!.ToJsonString(SocFormats.OneLine));
    }

    /// <summary>Reads a parameter as RFC 5424 6.3.3 says.</summary>
    private static string Parameter(string message, string name)
    {
        var at = message.IndexOf($" {name}=\"", StringComparison.Ordinal) + name.Length + 3;
        var s = new StringBuilder();
        for (; message[at] != '"'; at++) s.Append(message[at] == '\\' ? message[++at] : message[at]);
        return s.ToString();
    }

    private static string Flat(string lines) => lines.ReplaceLineEndings("");

    private static string Unescaped(string value)
    {
        var s = new StringBuilder();
        for (var i = 0; i < value.Length; i++)
            s.Append(value[i] != '\\' ? value[i] : value[++i] switch { 'n' => '\n', 'r' => '\r', var c => c });
        return s.ToString();
    }
}
