// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.28;

// Contracts that the tests of the EVM reader talk to: well-behaved tokens, ill-behaved ones, and a caller of many.
// `node compile.js` writes bed.json from this file.

/// An ERC-20 whose symbol, name and decimals are chosen when it is made. Anybody may mint.
contract Token {
    string public symbol;
    string public name;
    uint8 public immutable decimals;
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Approval(address indexed owner, address indexed spender, uint256 value);

    constructor(string memory symbol_, string memory name_, uint8 decimals_) {
        (symbol, name, decimals) = (symbol_, name_, decimals_);
    }

    function mint(address to, uint256 value) external {
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        emit Approval(msg.sender, spender, value);
        return true;
    }
}

/// A token of the old kind: symbol and name are 32 bytes, padded with zeros.
contract Bytes32Token {
    bytes32 public constant symbol = "MKR";
    bytes32 public constant name = "Maker";
    uint8 public constant decimals = 18;
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);

    function mint(address to, uint256 value) external {
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }
}

/// Announces transfers, but never answers for a balance: it reverts, or burns all the gas that it is given.
contract MuteToken {
    bool public immutable greedy;

    event Transfer(address indexed from, address indexed to, uint256 value);

    constructor(bool greedy_) {
        greedy = greedy_;
    }

    function decimals() external pure returns (uint256) {
        return 77;
    }

    function balanceOf(address) external view returns (uint256) {
        if (greedy) while (true) {}
        revert("no");
    }

    function shout(address to, uint256 value) external {
        emit Transfer(address(0), to, value);
    }
}

/// Wrapped native coin with the events of WETH9: Deposit and Withdrawal, no Transfer when coins are wrapped. With `doubled`
/// it announces both, as the wrapped coins of some chains do.
contract Wrapped {
    string public constant symbol = "WETH";
    string public constant name = "Wrapped Ether";
    uint8 public constant decimals = 18;
    bool public immutable doubled;
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);
    event Deposit(address indexed dst, uint256 value);
    event Withdrawal(address indexed src, uint256 value);

    constructor(bool doubled_) {
        doubled = doubled_;
    }

    function deposit() external payable {
        balanceOf[msg.sender] += msg.value;
        if (doubled) emit Transfer(address(0), msg.sender, msg.value);
        emit Deposit(msg.sender, msg.value);
    }

    function withdraw(uint256 value) external {
        balanceOf[msg.sender] -= value;
        payable(msg.sender).transfer(value);
        if (doubled) emit Transfer(msg.sender, address(0), value);
        emit Withdrawal(msg.sender, value);
    }

    function transfer(address to, uint256 value) external returns (bool) {
        balanceOf[msg.sender] -= value;
        balanceOf[to] += value;
        emit Transfer(msg.sender, to, value);
        return true;
    }
}

/// Sends native coin by internal calls: some arrive, some are undone before they count.
contract Forwarder {
    receive() external payable {}

    function pay(address payable to, uint256 value) external payable {
        (bool ok, ) = to.call{value: value}("");
        require(ok);
    }

    function payAndUndo(address payable to, uint256 value) external payable {
        try this.payAndFail(to, value) {} catch {}
    }

    function payAndFail(address payable to, uint256 value) external payable {
        (bool ok, ) = to.call{value: value}("");
        require(ok && false);
    }
}

/// Collectibles of both kinds in one contract: single ones (ERC-721) by `mint` and `give`, many of a kind (ERC-1155) by `many`.
contract Collectible {
    event Transfer(address indexed from, address indexed to, uint256 indexed id);
    event TransferSingle(address indexed operator, address indexed from, address indexed to, uint256 id, uint256 value);
    event TransferBatch(address indexed operator, address indexed from, address indexed to, uint256[] ids, uint256[] values);

    string public symbol = "COLL";
    string public name = "Collectible";
    mapping(uint256 => address) public ownerOf;
    mapping(address => mapping(uint256 => uint256)) public balanceOf;

    function mint(address to, uint256 id) external {
        ownerOf[id] = to;
        emit Transfer(address(0), to, id);
    }

    function give(address from, address to, uint256 id) external {
        ownerOf[id] = to;
        emit Transfer(from, to, id);
    }

    function many(address from, address to, uint256 id, uint256 value) external {
        if (balanceOf[from][id] >= value) balanceOf[from][id] -= value;
        balanceOf[to][id] += value;
        emit TransferSingle(msg.sender, from, to, id, value);
    }

    function batch(address to, uint256[] calldata ids, uint256[] calldata values) external {
        for (uint256 n = 0; n < ids.length; n++) balanceOf[to][ids[n]] += values[n];
        emit TransferBatch(msg.sender, address(0), to, ids, values);
    }
}

/// A registry of names with itself as every name's resolver, as far as reading goes (ENS).
contract Names {
    mapping(bytes32 => address) public addr;
    mapping(bytes32 => address) public resolver;

    function set(bytes32 node, address target, bool resolves) external {
        addr[node] = target;
        resolver[node] = resolves ? address(this) : address(0);
    }
}

/// The part of Multicall3 that the reader uses, for the address where it is found on every chain.
contract Multicall {
    struct Call {
        address target;
        bool allowFailure;
        bytes callData;
    }
    struct Result {
        bool success;
        bytes returnData;
    }

    function getEthBalance(address holder) external view returns (uint256) {
        return holder.balance;
    }

    function aggregate3(Call[] calldata calls) external payable returns (Result[] memory results) {
        results = new Result[](calls.length);
        for (uint256 i = 0; i < calls.length; i++) {
            (results[i].success, results[i].returnData) = calls[i].target.call(calls[i].callData);
            require(calls[i].allowFailure || results[i].success);
        }
    }
}
