using System.Security.Cryptography;
using Twin.Hardware.Coding;
using Twin.Hardware.Wire;

namespace Twin.Hardware.Tests.Wire;

/// <summary>
/// Association messages: the published examples with low-level security, and all mechanisms back and forth.
/// </summary>
public class AssociationTests
{
    private static readonly byte[] Client = Telegrams.Hex("4D4D4D0000000001");
    private static readonly byte[] Server = Telegrams.Hex("4D4D4D0000BC614E");
    private static readonly MeterId Meter = MeterId.FromSystemTitle(Server);

    private const string PublishedRequest = "6036A1090607608574050801018A0207808B0760857405080201AC0A8008"
        + "3132333435363738BE10040E01000000065F1F0400007E1F04B0";
    private const string PublishedResponse = "6129A109060760857405080101A203020100A305A103020100BE10040E"
        + "0800065F1F040000501F01F40007";

    [Fact]
    public void The_published_request_is_read_and_written()
    {
        Assert.True(AssociationRequest.TryRead(Telegrams.Hex(PublishedRequest), out var request, out var error),
            error.Describe());
        Assert.Equal((Mechanism.Lls, false, -1), (request.Mechanism, request.IsCiphered, request.UserId));
        Assert.Equal("12345678"u8.ToArray(), request.AuthenticationValue.ToArray());
        Assert.True(InitiateRequest.TryRead(request.Initiate, out var initiate, out _));
        Assert.Equal((0x007E1Fu, 1200), ((uint)initiate.Conformance, initiate.MaxApdu));
        Assert.True(initiate.Conformance.HasFlag(Conformance.Get | Conformance.Action));
        var w = new ByteWriter();
        request.Write(w);
        Assert.Equal(PublishedRequest, Convert.ToHexString(w.Written));
    }

    [Fact]
    public void The_published_response_is_read_and_written()
    {
        Assert.True(AssociationResponse.TryRead(Telegrams.Hex(PublishedResponse), out var response, out var error),
            error.Describe());
        Assert.True(response.IsAccepted);
        Assert.Equal((0, Mechanism.None), (response.Diagnostic, response.Mechanism));
        Assert.True(InitiateResponse.TryRead(response.Initiate, out var initiate, out _));
        Assert.Equal((0x00501Fu, 500), ((uint)initiate.Conformance, initiate.MaxApdu));
        var w = new ByteWriter();
        response.Write(w);
        Assert.Equal(PublishedResponse, Convert.ToHexString(w.Written));
        w.Clear();
        initiate.Write(w);
        Assert.Equal(response.Initiate.ToArray(), w.ToArray());
    }

    [Theory]
    [InlineData(Mechanism.None)]
    [InlineData(Mechanism.Lls)]
    [InlineData(Mechanism.HlsGmac)]
    [InlineData(Mechanism.HlsSha256)]
    [InlineData(Mechanism.HlsEcdsa)]
    public void Every_mechanism_comes_back(Mechanism mechanism)
    {
        var challenge = mechanism == Mechanism.None ? [] : Enumerable.Range(1, 32).Select(i => (byte)i).ToArray();
        var w = new ByteWriter();
        new AssociationRequest
        {
            IsCiphered = true, Mechanism = mechanism, ClientTitle = Client, AuthenticationValue = challenge, UserId = 3,
            Initiate = new byte[200],
        }.Write(w);
        Assert.True(AssociationRequest.TryRead(w.Written, out var request, out var error), error.Describe());
        Assert.Equal((mechanism, true, 3, 200),
            (request.Mechanism, request.IsCiphered, request.UserId, request.Initiate.Length));
        Assert.Equal(Client, request.ClientTitle.ToArray());
        Assert.Equal(challenge, request.AuthenticationValue.ToArray());
        w.Clear();
        new AssociationResponse
        {
            IsCiphered = true, Result = 1, Diagnostic = 14, Mechanism = mechanism, ServerTitle = Server,
            AuthenticationValue = challenge,
        }.Write(w);
        Assert.True(AssociationResponse.TryRead(w.Written, out var response, out error), error.Describe());
        Assert.Equal((mechanism, 1, 14), (response.Mechanism, response.Result, response.Diagnostic));
        Assert.Equal(Server, response.ServerTitle.ToArray());
        for (var length = 0; length < w.Length; length++)
            Assert.False(AssociationResponse.TryRead(w.Written[..length], out _, out _));
    }

    [Theory]
    [InlineData(false, 0, "6203800100")]
    [InlineData(true, -1, "6300")]
    public void A_release_comes_back(bool isResponse, int reason, string expected)
    {
        var w = new ByteWriter();
        new ReleaseMessage { IsResponse = isResponse, Reason = reason }.Write(w);
        Assert.Equal(expected, Convert.ToHexString(w.Written));
        Assert.True(ReleaseMessage.TryRead(w.Written, out var back, out _));
        Assert.Equal((isResponse, reason), (back.IsResponse, back.Reason));
    }

    /// <summary>The example of the Green Book for mechanism 5: both passes.</summary>
    [Theory]
    [InlineData("4D4D4D0000000001", 1u, "503677524A323146", "10000000011A52FE7DD3E72748973C1E28")]
    [InlineData("4D4D4D0000BC614E", 0x01234567u, "4B35366956616759", "1001234567FE1466AFB3DBCD4F9389E2B7")]
    public void Gmac_answers_are_the_published_ones(string title, uint counter, string challenge, string expected)
    {
        using var keys = new FrameKeys();
        keys.Set(Meter, KeyUse.GlobalUnicast, Telegrams.Hex("000102030405060708090A0B0C0D0E0F"),
            Telegrams.Hex("D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF"));
        var answer = new byte[Hls.GmacBytes];
        var (who, what) = (Telegrams.Hex(title), Telegrams.Hex(challenge));
        Assert.Equal(WireCode.None, Hls.Gmac(keys, Meter, who, 0, counter, what, answer));
        Assert.Equal(expected, Convert.ToHexString(answer));
        Assert.Equal(WireCode.None, Hls.CheckGmac(keys, Meter, who, 0, what, answer, out var used));
        Assert.Equal(counter, used);
        answer[^1] ^= 1;
        Assert.Equal(WireCode.AuthenticationFailed, Hls.CheckGmac(keys, Meter, who, 0, what, answer, out _));
    }

    [Fact]
    public void Hash_answers_cover_secret_titles_and_challenges()
    {
        byte[] secret = [1, 2, 3], stoc = [4, 5], ctos = [6];
        var answer = new byte[32];
        Hls.Sha256(secret, Client, Server, stoc, ctos, answer);
        Assert.Equal(SHA256.HashData((byte[])[.. secret, .. Client, .. Server, .. stoc, .. ctos]), answer);
        var digest = new byte[48];
        Assert.Equal(48, Hls.EcdsaDigest(2, Client, Server, stoc, ctos, digest));
        Assert.Equal(SHA384.HashData((byte[])[.. Client, .. Server, .. stoc, .. ctos]), digest);
    }
}
